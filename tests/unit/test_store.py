"""The store: artifacts, their hashes, the champion."""

import json
import os
import shutil
import threading
from pathlib import Path

import pytest

from spanloop.config import SplitConfig
from spanloop.errors import StoreError
from spanloop.store import Store, verify_all
from spanloop.store.groups import Dealing


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def build(text: str = "content"):
    def write(folder: Path) -> None:
        (folder / "sub").mkdir()
        (folder / "a.txt").write_text(text, encoding="utf-8")
        (folder / "sub" / "b.bin").write_bytes(b"\x00\xff" * 1000)

    return write


def one_line(error: pytest.ExceptionInfo[Exception]) -> str:
    message = str(error.value)
    assert "\n" not in message
    return message


def test_a_store_that_is_not_there_yet_is_empty(store: Store) -> None:
    assert [store.names(kind) for kind in ("snapshots", "models", "rounds")] == [[], [], []]
    assert (store.champion(), store.previous_champion(), store.clean()) == (None, None, [])
    assert not store.root.exists()


def test_publish_gives_a_folder_with_a_manifest(store: Store) -> None:
    path = store.publish("models", "m0001-aa", build())
    assert path == store.models / "m0001-aa" == store.path("models", "m0001-aa")
    files = store.manifest("models", "m0001-aa")["files"]
    assert {name: entry["bytes"] for name, entry in files.items()} == {"a.txt": 7, "sub/b.bin": 2000}
    assert [x.name for x in store.models.iterdir()] == ["m0001-aa"]


def test_what_the_builder_says_in_the_manifest_stays(store: Store) -> None:
    store.publish("rounds", "r1", lambda folder: (folder / "manifest.json").write_text('{"key": "abc"}') and None)
    assert store.manifest("rounds", "r1") == {"key": "abc", "files": {}}


def test_a_name_that_is_there_is_returned_without_building(store: Store) -> None:
    first = store.publish("models", "m1", build("first"))
    again = store.publish("models", "m1", lambda folder: pytest.fail("built twice"))
    assert again == first
    assert (first / "a.txt").read_text() == "first"


def test_names_come_in_the_order_of_their_numbers(store: Store) -> None:
    for name in ("v0010-aa", "v0002-bb", "v0002-aa", "v9-cc"):
        store.publish("snapshots", name, build())
    assert store.names("snapshots") == ["v0002-aa", "v0002-bb", "v9-cc", "v0010-aa"]


def test_the_next_name_counts_on_from_the_last(store: Store) -> None:
    assert (store.next_name("rounds"), store.next_name("models", "77aa0f31")) == ("r0001", "m0001-77aa0f31")
    for name in ("m0001-3fa9c1d2", "m0012-55555555"):
        store.publish("models", name, build())
    assert store.next_name("models", "77aa0f31") == "m0013-77aa0f31"


def test_a_missing_artifact_is_named_with_those_that_are_there(store: Store) -> None:
    store.publish("models", "m1", build())
    with pytest.raises(StoreError) as error:
        store.path("models", "m2")
    assert one_line(error) == f"{store.root} has no model 'm2'; there are: m1"


@pytest.mark.parametrize("name", ["", "../m1", "a/b", ".hidden", "x.tmp", "a b", "m1\n"])
def test_names_that_are_none(store: Store, name: str) -> None:
    with pytest.raises(StoreError, match="is no name for the store"):
        store.publish("models", name, build())


def test_a_builder_that_fails_leaves_nothing(store: Store) -> None:
    def fails(folder: Path) -> None:
        (folder / "half").write_text("x")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        store.publish("models", "m1", fails)
    assert list(store.models.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_one_line_and_leaves_nothing(store: Store) -> None:
    def write(folder: Path) -> None:
        (folder / "fine.txt").write_text("x")
        with Path("/dev/full").open("w") as full:
            full.write("x")

    with pytest.raises(StoreError) as error:
        store.publish("models", "m1", write)
    assert "cannot publish models/m1: No space left on device" in one_line(error)
    assert "free some space" in one_line(error)
    assert list(store.models.iterdir()) == []


def test_a_link_is_refused_because_its_target_may_go_away(store: Store, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("x")
    with pytest.raises(StoreError, match=r"weights is a link to .*elsewhere"):
        store.publish("models", "m1", lambda folder: (folder / "weights").symlink_to(tmp_path / "elsewhere"))


def test_something_else_in_the_place_of_an_artifact(store: Store) -> None:
    (store.models / "m1").mkdir(parents=True)
    (store.models / "m1" / "notes.txt").write_text("mine")
    assert store.names("models") == []
    with pytest.raises(StoreError, match=r"m1 is there without its manifest.json; move it away"):
        store.publish("models", "m1", build())
    assert (store.models / "m1" / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda m: (m / "a.txt").write_text("Content"), "a.txt is corrupt"),
        (lambda m: (m / "sub" / "b.bin").write_bytes(b""), "sub/b.bin is corrupt"),
        (lambda m: (m / "a.txt").unlink(), "a.txt is missing"),
        (lambda m: (m / "manifest.json").write_text('{"files": {"a.txt"'), "manifest.json is corrupt"),
        (lambda m: (m / "manifest.json").write_text("[]"), "manifest.json is corrupt"),
        (lambda m: (m / "manifest.json").write_text("{}"), "manifest.json is corrupt"),
        (lambda m: (m / "manifest.json").write_bytes(b"\xff\xfe"), "manifest.json is corrupt"),
    ],
)
def test_verify_names_the_file_that_is_damaged(store: Store, damage, told: str) -> None:
    path = store.publish("models", "m1", build())
    store.publish("models", "m2", build())
    store.verify("models", "m1")
    damage(path)
    with pytest.raises(StoreError) as error:
        store.verify("models", "m1")
    assert told in one_line(error)
    assert f"remove {path}" in one_line(error)
    report = verify_all(store)
    assert told in report["models/m1"]
    assert report["models/m2"] == report["champion"] == ""


def test_the_champion_and_the_way_back(store: Store) -> None:
    for name in ("m1", "m2", "m3"):
        store.publish("models", name, build())
        store.set_champion(name)
    store.set_champion("m3")
    assert (store.champion(), store.previous_champion()) == ("m3", "m2")
    assert store.roll_back() == "m2"
    assert (store.champion(), store.previous_champion()) == ("m2", "m1")
    store.set_champion("m3")
    assert (store.champion(), store.previous_champion()) == ("m3", "m2")
    assert [store.roll_back(), store.roll_back()] == ["m2", "m1"]
    with pytest.raises(StoreError, match="has no champion before m1"):
        store.roll_back()


def test_only_a_published_model_becomes_champion(store: Store) -> None:
    with pytest.raises(StoreError, match="has no model 'm9'"):
        store.set_champion("m9")
    assert store.champion() is None


def test_a_rollback_needs_the_model_it_goes_to(store: Store) -> None:
    for name in ("m1", "m2"):
        store.publish("models", name, build())
        store.set_champion(name)
    (store.models / "m1" / "manifest.json").unlink()
    with pytest.raises(StoreError, match="has no model 'm1'"):
        store.roll_back()
    assert store.champion() == "m2"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"history": "m1"}', '{"history": [1]}'])
def test_a_corrupt_champion_file_is_named(store: Store, content: str) -> None:
    store.publish("models", "m1", build())
    store.set_champion("m1")
    (store.root / "champion.json").write_text(content)
    with pytest.raises(StoreError) as error:
        store.champion()
    assert f"{store.root / 'champion.json'} is corrupt" in one_line(error)
    assert "is corrupt" in verify_all(store)["champion"]


def test_a_champion_whose_model_is_gone_is_found_by_verify(store: Store) -> None:
    store.publish("models", "m1", build())
    store.set_champion("m1")
    (store.models / "m1" / "manifest.json").unlink()
    assert "has no model 'm1'" in verify_all(store)["champion"]


def test_work_stays_until_it_is_published_however_old_it_looks(store: Store) -> None:
    for name in ("m1", "m2"):
        (store.work(name) / "checkpoint").write_text("x")
        os.utime(store.work(name), (1, 1))
    store.publish("models", "m1", build())
    assert [x.name for x in sorted(store.clean())] == ["m1"]
    assert (store.work("m2") / "checkpoint").read_text() == "x"


def test_clean_leaves_what_is_being_built(store: Store) -> None:
    def write(folder: Path) -> None:
        assert store.clean() == []
        (folder / "a.txt").write_text("x")

    store.publish("models", "m1", write)
    store.verify("models", "m1")


def test_two_threads_publishing_one_name_give_one_artifact(store: Store) -> None:
    together = threading.Barrier(2)

    def publish(text: str) -> None:
        def write(folder: Path) -> None:
            build(text)(folder)
            together.wait(10)

        store.publish("models", "m1", write)

    threads = [threading.Thread(target=publish, args=(text,)) for text in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.verify("models", "m1")
    assert [x.name for x in store.models.iterdir()] == ["m1"]


def test_the_manifest_is_plain_json(store: Store) -> None:
    path = store.publish("models", "m1", build("Zoë"))
    assert json.loads((path / "manifest.json").read_text())["files"].keys() == {"a.txt", "sub/b.bin"}


def test_nothing_of_anybody_else_is_removed(tmp_path: Path) -> None:
    """A thesis beside the scratch, notes beside the models: not ours by name, and not ours to remove."""
    root = tmp_path / "data"
    store = Store(root)
    store.publish("models", "m1", build())
    foreign = [
        root / "work" / "thesis" / "chapter-1.txt",
        root / "work" / "r0001-notes" / "x",
        root / "models" / ".notes.tmp" / "x",
        root / "models" / ".m1.bak.tmp" / "x",
        root / ".notes.tmp",
    ]
    for path in foreign:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
        os.utime(path, (1, 1))
        os.utime(path.parent, (1, 1))
    store.clean()
    assert all(path.read_text() == "mine" for path in foreign)
    assert store.names("models") == ["m1"]


@pytest.mark.parametrize("use", ["publish", "work", "lock"])
def test_a_folder_with_other_things_is_no_store(tmp_path: Path, use: str) -> None:
    (tmp_path / "work" / "thesis").mkdir(parents=True)
    (tmp_path / "photos").mkdir()
    store = Store(tmp_path)
    uses = {
        "publish": lambda: store.publish("models", "m1", build()),
        "work": lambda: store.work("r0001"),
        "lock": lambda: store.lock("a round"),
    }
    with pytest.raises(StoreError) as error:
        uses[use]()
    said = f"{tmp_path} is no store and holds other things (photos); give the store a folder of its own"
    assert one_line(error).startswith(said)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["photos", "thesis", "work"]
    way_out = Store(tmp_path / "store")  # what the error says
    way_out.publish("models", "m1", build())
    assert way_out.names("models") == ["m1"]


def test_a_store_of_an_earlier_version_and_a_fresh_disk_become_stores(tmp_path: Path) -> None:
    (tmp_path / "lost+found").mkdir()
    (tmp_path / "models").mkdir()
    store = Store(tmp_path)
    store.publish("models", "m1", build())
    assert (tmp_path / "spanloop-store.json").is_file()
    (tmp_path / "readme.txt").write_text("what lies beside a store later is left alone")
    store.publish("models", "m2", build())


def test_a_copy_of_an_artifact_by_another_name_is_none(store: Store) -> None:
    store.publish("rounds", "r0001", build())
    shutil.copytree(store.rounds / "r0001", store.rounds / "r0002.bak")
    assert (store.names("rounds"), store.next_name("rounds")) == (["r0001"], "r0002")


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)


def test_a_damaged_champion_gives_way_to_the_one_before(store: Store) -> None:
    for name in ("m1", "m2", "m3"):
        store.publish("models", name, build(name))
        store.set_champion(name)
    assert store.pass_over_damaged() == []
    damage(store.models / "m3" / "a.txt")
    shutil.rmtree(store.models / "m2")
    gone, corrupt = store.pass_over_damaged()[::-1]
    assert "a.txt is corrupt" in corrupt
    assert "has no model 'm2'" in gone
    assert (store.champion(), store.vetoed()) == ("m1", [])
    damage(store.models / "m1" / "a.txt")
    assert len(store.pass_over_damaged()) == 1
    assert (store.champion(), store.previous_champion()) == (None, None)
    store.publish("models", "m4", build())
    store.set_champion("m4")
    assert store.champion() == "m4"


def test_what_is_set_aside_can_be_made_again(store: Store) -> None:
    store.publish("models", "m1", build("first"))
    damage(store.models / "m1" / "a.txt")
    there = store.set_aside("models", "m1")
    assert (store.names("models"), (there / "manifest.json").is_file()) == ([], True)
    store.publish("models", "m1", build("second"))
    store.verify("models", "m1")


def test_a_rollback_is_a_veto_until_somebody_lifts_it(store: Store) -> None:
    for name in ("m1", "m2"):
        store.publish("models", name, build())
        store.set_champion(name)
    store.roll_back()
    assert (store.champion(), store.vetoed()) == ("m1", ["m2"])
    store.set_champion("m2")
    assert (store.champion(), store.vetoed()) == ("m2", [])


def test_groups_and_splits_are_kept_and_a_corrupt_file_is_named(store: Store) -> None:
    settings = SplitConfig()
    dealing = store.groups.read(settings)
    assert dealing == Dealing(settings)
    assert [dealing.keep("a", "patent-9"), dealing.keep("a", "elsewhere")] == ["patent-9", "patent-9"]
    store.groups.write(dealing)
    later = store.groups.read(SplitConfig(test=0))
    assert later.groups == {"a": "patent-9"}
    assert (later.split_of("patent-9"), later.settings.split_of("patent-9")) == ("test", "validation")
    (store.root / "groups.json").write_text('{"a": 7}')
    with pytest.raises(StoreError, match=r"groups.json is corrupt; restore it from a backup, or delete it"):
        store.groups.read(settings)
