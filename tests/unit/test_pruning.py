"""What a store keeps, what goes, and that nothing else is touched."""

import json
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanloop.config import RetentionConfig
from spanloop.errors import StoreError
from spanloop.store import KINDS, Store, verify_all
from spanloop.store.pruning import pin, pins, prune, unneeded


def fill(root: Path, rounds: int = 6) -> Store:
    """As many snapshots, models and rounds; each model is of the snapshot of its number."""
    store = Store(root)
    for i in range(1, rounds + 1):
        store.publish("snapshots", f"v{i:04}-aaaaaaaa", lambda folder: (folder / "x").write_text("x" * 1000))
        about = json.dumps({"snapshot": f"v{i:04}-aaaaaaaa"})
        store.publish("models", f"m{i:04}-bbbbbbbb", lambda folder, a=about: (folder / "spanloop.json").write_text(a))
        store.publish("rounds", f"r{i:04}", lambda folder: (folder / "round.json").write_text("{}"))
        (store.work("scores") / f"m{i:04}-bbbbbbbb-0a0a0a0a.jsonl").write_text("{}")
    return store


def numbers(store: Store) -> dict[str, list[int]]:
    return {kind: [int(name[1:5]) for name in store.names(kind)] for kind in KINDS}


def test_the_newest_those_in_service_and_the_pinned_stay(tmp_path: Path) -> None:
    store = fill(tmp_path / "store")
    store.set_champion("m0001-bbbbbbbb")
    store.set_champion("m0003-bbbbbbbb")
    pin(store, "m0002-bbbbbbbb")
    pin(store, "r0001")
    retention = RetentionConfig(models=1, snapshots=1, rounds=2)
    announced = {each.path for each in unneeded(store, retention)}
    assert {each.path for each in prune(store, retention)} == announced
    assert numbers(store) == {"models": [1, 2, 3, 6], "snapshots": [1, 2, 3, 6], "rounds": [1, 5, 6]}
    scores = sorted(path.name[:5] for path in (store.root / "work" / "scores").iterdir())
    assert scores == ["m0001", "m0002", "m0003", "m0006"]
    assert set(verify_all(store).values()) == {""}
    assert prune(store, retention) == []
    pin(store, "m0002-bbbbbbbb", keep=False)
    prune(store, retention)
    assert numbers(store)["models"] == [1, 3, 6]


@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    keep=st.tuples(*[st.integers(0, 8)] * 3),
    served=st.lists(st.integers(1, 6), max_size=4),
    pinned=st.sets(st.integers(1, 6), max_size=3),
)
def test_whatever_is_kept_a_rollback_finds_its_model(tmp_path_factory, keep, served, pinned) -> None:
    store = fill(tmp_path_factory.mktemp("any") / "store")
    for number in served:
        store.set_champion(f"m{number:04}-bbbbbbbb")
    for number in pinned:
        pin(store, f"m{number:04}-bbbbbbbb")
    before = numbers(store)
    prune(store, RetentionConfig(models=keep[0], snapshots=keep[1], rounds=keep[2]))
    after = numbers(store)
    for kind, count in zip(("models", "snapshots", "rounds"), keep, strict=True):
        assert set(after[kind]) >= set(before[kind][-count:])
    assert set(after["models"]) >= pinned | set(served[-1:])
    assert set(after["snapshots"]) >= set(after["models"])
    assert set(verify_all(store).values()) == {""}
    if store.previous_champion():
        store.path("models", store.roll_back())


def test_what_a_round_saw_goes_once_there_is_a_later_one(tmp_path: Path) -> None:
    store, seen = Store(tmp_path / "store"), ("annotations.json", "waiting.json")

    def record(folder: Path) -> None:
        for name in ("round.json", *seen):
            (folder / name).write_text("{}")

    for number in range(1, 5):
        store.publish("rounds", f"r{number:04}", record)
    pin(store, "r0001")
    (store.rounds / "r0002" / "manifest.json").write_text("{half")
    announced = {each.path for each in unneeded(store, RetentionConfig())}
    assert announced == {store.rounds / "r0003" / file for file in seen}
    prune(store, RetentionConfig())
    left = {path.parent.name for path in store.rounds.glob("*/waiting.json")}
    assert left == {"r0001", "r0002", "r0004"}
    assert (store.rounds / "r0003" / "round.json").is_file()
    assert {what for what, problem in verify_all(store).items() if problem} == {"rounds/r0002"}


def test_what_served_and_is_gone_is_forgotten_with_the_next_promotion(tmp_path: Path) -> None:
    store = fill(tmp_path / "store")
    for name in store.names("models")[:5]:
        store.set_champion(name)
    prune(store, RetentionConfig(models=1))
    store.set_champion("m0006-bbbbbbbb")
    history = json.loads((store.root / "champion.json").read_text())["history"]
    assert history == ["m0004-bbbbbbbb", "m0005-bbbbbbbb", "m0006-bbbbbbbb"]


def test_a_crash_in_the_middle_leaves_nothing_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = fill(tmp_path / "store")
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda *_, **__: os._exit(9))
        if (child := os.fork()) == 0:
            prune(store, RetentionConfig(models=1))
        assert os.waitpid(child, 0)[1] == 9 << 8
    assert len(store.names("models")) == 5
    assert set(verify_all(store).values()) == {""}
    assert store.clean()
    prune(store, RetentionConfig(models=1))
    assert [path.name for path in store.models.iterdir()] == ["m0006-bbbbbbbb"]


def test_what_is_not_ours_stays(tmp_path: Path) -> None:
    store = fill(tmp_path / "store")
    others = [store.models / "m0001.bak" / "x", store.root / "work" / "scores" / "my-notes.txt",
              store.root / "damaged" / "letter.txt"]  # fmt: skip
    for path in others:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
    prune(store, RetentionConfig(models=1, snapshots=1, rounds=1))
    assert all(path.read_text() == "mine" for path in others)


def test_damaged_artifacts_do_not_pile_up(tmp_path: Path) -> None:
    """The newest stay, also where a clock that was set back makes them look old."""
    store = fill(tmp_path / "store")
    aside = [store.set_aside("models", f"m{i:04}-bbbbbbbb") for i in range(1, 6)]
    for age, path in enumerate(aside):
        os.utime(path, (1e9 - age, 1e9 - age))
    prune(store, RetentionConfig())
    assert sorted((store.root / "damaged").iterdir()) == aside[-2:]


def test_pins_are_of_things_that_are_there(tmp_path: Path) -> None:
    store = fill(tmp_path / "store")
    for name in ("m9999-bbbbbbbb", "x1", "../m0001"):
        with pytest.raises(StoreError):
            pin(store, name)
    (store.root / "pins.json").write_text("{")
    with pytest.raises(StoreError, match="pin again"):
        pins(store)
    (store.root / "pins.json").unlink()
    assert pins(store) == set()
