"""No record that was trained on is ever tested, and none of the test is trained on, whatever people do in between."""

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from spanloop.config import SplitConfig
from spanloop.records import SPLITS, Annotation, Record, Span
from spanloop.rounds.grouping import Unmoved, grouped, known_dealing
from spanloop.snapshot import build, read_examples
from spanloop.store import Store

IDS = st.integers(0, 11).map(lambda number: f"r{number}")
GROUPS = st.sampled_from(["patent-0", "patent-9", "patent-11", "0", "書類"])
SETTINGS = st.builds(
    SplitConfig, seed=st.integers(0, 3), test=st.sampled_from([0.0, 0.1, 0.4]), validation=st.sampled_from([0.0, 0.4])
)


class Loop(RuleBasedStateMachine):
    """Records in Argilla with the group that their metadata says, settings, and rounds that publish snapshots."""

    ids = Bundle("ids")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store = Store(Path(self.folder.name) / "store")
        self.settings = SplitConfig(test=0.4, validation=0.2)
        self.records: dict[str, str] = {}
        self.unmoved = Unmoved()

    def teardown(self) -> None:
        self.folder.cleanup()

    @rule(target=ids, name=IDS, group=GROUPS)
    def import_or_edit(self, name: str, group: str) -> str:
        self.records[name] = group
        return name

    @rule(name=ids)
    def wipe_metadata(self, name: str) -> None:
        if name in self.records:
            self.records[name] = name

    @rule(name=ids)
    def delete(self, name: str) -> None:
        self.records.pop(name, None)

    @rule(settings=SETTINGS)
    def change_settings(self, settings: SplitConfig) -> None:
        self.settings = settings

    @rule()
    def lose_what_is_kept(self) -> None:
        """What the error of a corrupt file says to do."""
        self.store.groups.path.unlink(missing_ok=True)

    @rule()
    def come_from_an_older_version(self) -> None:
        """It kept the groups alone."""
        if self.store.groups.path.exists():
            self.store.groups.path.write_text(json.dumps(self.store.groups.read(self.settings).groups))

    @rule()
    def run(self) -> None:
        dealing, self.unmoved = known_dealing(self.store, self.settings), Unmoved()
        records = [Record(name, f"Anna {name}", group) for name, group in self.records.items()]
        found = [
            Annotation(record.id, record.text, record.group, (Span(0, 4, "person"),), ("ann",), None)
            for record in grouped(records, dealing, self.unmoved)
        ]
        self.store.groups.write(dealing)
        if found:
            build(self.store, found, ["person"], self.settings, dealing=dealing)

    @invariant()
    def nothing_moves(self) -> None:
        was: dict[str, str] = {}
        for name in self.store.names("snapshots"):
            split_of_group: dict[str, str] = {}
            for split in SPLITS:
                for example in read_examples(self.store.path("snapshots", name), split):
                    assert was.setdefault(example.id, split) == split
                    assert split_of_group.setdefault(example.group, split) == split


Loop.TestCase.settings = settings(max_examples=25, stateful_step_count=15, deadline=None)
test_no_record_ever_changes_its_split = Loop.TestCase


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def publish(store: Store, splits: SplitConfig, **groups: str) -> str:
    """A round over annotated records of these groups."""
    dealing = known_dealing(store, splits)
    records = grouped([Record(name, "Anna", group) for name, group in groups.items()], dealing)
    found = [Annotation(record.id, record.text, record.group, (), ("ann",), None) for record in records]
    store.groups.write(dealing)
    return build(store, found, ["person"], splits, dealing=dealing).version


def test_other_settings_move_nothing_and_make_no_new_snapshot(store: Store) -> None:
    first = publish(store, SplitConfig(), a="patent-9", b="patent-0")
    assert publish(store, SplitConfig(test=0, seed=7), a="patent-9", b="patent-0") == first
    second = publish(store, SplitConfig(test=0, seed=7), a="patent-9", b="patent-0", c="patent-9")
    assert store.manifest("snapshots", second)["kept"] == {"patent-9": "test"}
    assert "1 group dealt by earlier settings stayed." in (store.path("snapshots", second) / "README.md").read_text()
    assert [e.id for e in read_examples(store.path("snapshots", second), "test")] == ["a", "c"]


def test_who_would_have_been_moved_is_told(store: Store) -> None:
    publish(store, SplitConfig(), a="patent-9", b="patent-0")
    unmoved = Unmoved()
    records = [Record("a", "Anna", "patent-9"), Record("b", "Anna", "elsewhere")]
    list(grouped(records, known_dealing(store, SplitConfig(test=0)), unmoved))
    assert unmoved == Unmoved(regrouped=["b"], resplit=["a"])


def test_a_store_that_kept_groups_alone_has_the_splits_of_its_snapshots(store: Store) -> None:
    publish(store, SplitConfig(), a="patent-9", b="patent-0", c="patent-11")
    store.groups.path.write_text(json.dumps({"a": "patent-9", "b": "patent-0", "c": "patent-11", "w": "patent-x"}))
    now = SplitConfig(test=0, validation=0.5, seed=3)
    dealing = known_dealing(store, now)
    assert [dealing.split_of(f"patent-{x}") for x in (9, 0, 11)] == ["test", "train", "validation"]
    assert dealing.split_of("patent-x") == SplitConfig().split_of("patent-x")  # it waited: as the last round dealt it


def test_a_damaged_snapshot_is_told_and_the_others_say_what_they_know(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    publish(store, SplitConfig(), a="patent-9")
    second = publish(store, SplitConfig(), a="patent-9", b="patent-0")
    store.groups.path.unlink()
    for path in (store.path("snapshots", second) / "train").glob("*.arrow"):
        path.chmod(0o644)
        path.write_bytes(b"")
    assert known_dealing(store, SplitConfig(test=0)).split_of("patent-9") == "test"
    assert f"{second}/train" in caplog.text
