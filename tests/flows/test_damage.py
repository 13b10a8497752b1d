"""One bad thing stops nothing and is not used: damaged models, a veto, blank records, wiped metadata."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sentences import sentences
from world import World, run

from spanloop.snapshot import load_snapshot

pytestmark = pytest.mark.usefixtures("prefect_server")


def agents(world: World) -> set[str]:
    """Whose suggestions stand on pending records."""
    return {record.suggestion.agent for record in world.pending() if record.suggestion}


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """A loop with two models that rounds put into service."""
    world = make_world(sentences(90))
    world.config.gate.margin, world.config.gate.max_risk = 0.5, 0.9  # a higher F1 is enough
    training = world.config.training
    world.config.training = training.model_copy(
        update={"num_train_epochs": 1, "min_steps": 8}
    )  # the first knows little
    for count in (35, 15):
        world.annotate(count)
        assert run(world, again=True).outcome == "promoted"
        world.config.training = training
    return world


def test_a_damaged_champion_gives_way_and_is_trained_again(world: World) -> None:
    first, second = world.store.names("models")
    flip_a_bit(world.store.path("models", second) / "model.safetensors")
    (world.store.root / "work" / "scores").joinpath(f"{second}-test-00000000.json").write_text("{half")
    report = run(world, again=True)
    assert report.figures.train.champion == first  # the one before served when the round began
    assert report.figures.train.challenger == second  # made again: the same data, the same name
    world.store.verify("models", second)
    assert agents(world) == {world.store.champion()}
    assert report.outcome in ("promoted", "kept")


def test_a_first_model_that_is_damaged_leaves_none_and_comes_back(make_world: Callable[..., World]) -> None:
    world = make_world(sentences(60))
    world.annotate(35)
    champion = run(world, again=True).champion
    flip_a_bit(world.store.path("models", champion) / "model.safetensors")
    report = run(world, again=True)
    assert (report.outcome, report.champion) == ("promoted", champion)
    world.store.verify("models", champion)


def test_a_rollback_is_a_veto(world: World) -> None:
    first, second = world.store.names("models")
    assert world.store.roll_back() == first
    world.store.set_aside("models", second)  # even a round that trains it again does not put it back
    report = run(world, again=True)
    assert report.figures.train.challenger == second
    assert report.champion == first
    assert report.outcome == "kept"
    assert report.figures.gate.decision.reason.startswith(f"somebody took {second} out of service")
    assert agents(world) == {first}


def test_a_blank_submitted_record_is_set_aside(make_world: Callable[..., World]) -> None:
    world = make_world(sentences(60))
    blank = world.pending()[0]
    world.answer(blank, "submitted")
    world.annotate(35)
    world.client.patch(f"records/{blank.server_id}", {"fields": {"text": " "}})
    report = run(world, again=True)
    assert [aside.record_id for aside in report.figures.annotations.aside] == [blank.id]
    assert report.figures.annotations.annotated == 35
    assert report.outcome == "promoted"


def test_wiped_metadata_moves_no_record_to_another_split(make_world: Callable[..., World]) -> None:
    documents = [replace(s, group=f"doc{i % 20}") for i, s in enumerate(sentences(80))]
    world = make_world(documents)
    world.annotate(50)
    first = run(world, again=True)
    assert first.figures.pull.regrouped == ()
    splits = split_ids(world, first)
    items = [{"id": record.server_id, "metadata": {}} for record in world.records().values()]
    world.client.put(f"datasets/{world.dataset.id}/records/bulk", {"items": items})

    (world.store.root / "groups.json").unlink()  # what a corrupt one's error says: annotated records lose nothing
    for _ in range(2):
        again = run(world, again=True)
        assert len(again.figures.pull.regrouped) >= 50
        assert again.figures.snapshot.version == first.figures.snapshot.version
        assert split_ids(world, again) == splits


def split_ids(world: World, report: Any) -> dict[str, set[str]]:
    """The records of each split of a round's snapshot."""
    snapshot = load_snapshot(world.store, report.figures.snapshot.version)
    return {split: set(rows["id"]) for split, rows in snapshot.items()}
