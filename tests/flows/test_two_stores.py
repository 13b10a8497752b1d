"""A store and a dataset belong to each other: a second, a lost and a copied store are refused until somebody adopts."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sentences import sentences
from world import World, run

from spanloop.argilla import ArgillaClient, DatasetRef, ensure_dataset
from spanloop.argilla.lease import LEASE, Lease
from spanloop.argilla.properties import list_properties
from spanloop.errors import ArgillaUnauthorized, StoreError
from spanloop.rehearsal.annotator import simulated_annotators
from spanloop.rounds.holding import take_over
from spanloop.rounds.outside import look_from_outside

pytestmark = pytest.mark.usefixtures("prefect_server")
NOW = "2026-11-27T08:00:00+00:00"


def with_store(world: World, folder: Path) -> World:
    """The same dataset, worked on by another store."""
    return replace(world, config=world.config.model_copy(update={"store": str(folder)}))


def adopt(world: World) -> str:
    with world.store.lock("adopt"):
        return take_over(world.store, world.client, world.dataset, NOW)


def lease(world: World) -> Lease:
    found = Lease.of(list_properties(world.client, world.dataset)[LEASE])
    assert found
    return found


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """A loop that has run a first round."""
    world = make_world(sentences(50))
    run(world)
    return world


def test_a_round_renews_the_lease_and_annotators_do_not_see_it(world: World) -> None:
    first = lease(world)
    assert (first.store, first.folder) == (world.store.id, str(world.store.root))
    assert run(world).outcome == "nothing new"
    second = lease(world)
    assert (second.store, second.token in world.store.binding.read().leases) == (first.store, True)
    assert second.token != first.token
    (annotator,) = simulated_annotators(world.client, world.dataset, 1)
    with annotator:
        assert LEASE not in list_properties(annotator, world.dataset)


def test_a_second_store_is_refused_until_it_adopts_and_the_first_one_then(world: World, tmp_path: Path) -> None:
    world.annotate(35)
    first = run(world)
    other = with_store(world, tmp_path / "other")
    before = world.state(), list_properties(world.client, world.dataset)
    with pytest.raises(StoreError) as refused:
        run(other)
    assert str(refused.value) == (
        f"dataset {world.dataset.name!r} belongs to {lease(world)}, not to store {other.store.id[:8]} "
        f"({other.store.root}); use that one, or take the dataset over by 'spanloop adopt'"
    )
    assert (world.state(), list_properties(world.client, world.dataset)) == before
    assert other.store.names("snapshots") == []

    assert adopt(other) == str(Lease.of(before[1][LEASE]))
    assert adopt(other) == ""
    for refusing in (lambda: run(world), lambda: look_from_outside(world.config, world.client)):
        with pytest.raises(StoreError, match=f"belongs to store {other.store.id[:8]}"):
            refusing()
    report = run(other)
    assert report.outcome == "promoted"
    assert (first.champion[:5], report.champion[:5]) == ("m0001", "m0002")  # above what suggestions carry
    assert report.figures.log.written.suggested == report.figures.score.scored > 0
    assert {r.suggestion.agent for r in world.pending() if r.suggestion} == {report.champion}
    assert run(other).outcome == "nothing new"


def test_a_store_that_takes_its_dataset_back_suggests_again(world: World, tmp_path: Path) -> None:
    world.annotate(35)
    champion, other = run(world).champion, with_store(world, tmp_path / "other")
    adopt(other)
    run(other)
    assert adopt(world)
    assert run(world).outcome == "refreshed"
    assert {r.suggestion.agent for r in world.pending() if r.suggestion} == {champion}
    assert run(world).outcome == "nothing new"


def test_a_copy_of_a_store_stops_as_soon_as_the_other_one_ran(world: World, tmp_path: Path) -> None:
    shutil.copytree(world.store.root, tmp_path / "copy")
    copy = with_store(world, tmp_path / "copy")
    assert copy.store.id == world.store.id
    assert run(copy).outcome == "nothing new"
    with pytest.raises(StoreError, match="another copy or a later state of this store worked on dataset"):
        run(world)
    assert adopt(world)
    assert run(world).outcome != "nothing new"
    with pytest.raises(StoreError, match="another copy"):
        run(copy)


def test_a_store_that_is_taken_over_in_the_middle_of_a_round_writes_nothing_more(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from spanloop.rounds import suggestions

    world.annotate(35)
    before, other, score = world.state(), with_store(world, tmp_path / "other"), suggestions.score_pending

    def lose_the_dataset(*args: Any) -> Any:
        adopt(other)
        return score(*args)

    monkeypatch.setattr(suggestions, "score_pending", lose_the_dataset)
    with pytest.raises(StoreError, match="belongs to store"):
        run(world)
    assert world.state() == before


def test_a_killed_adoption_is_adopted_again(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from spanloop.rounds import holding

    other = with_store(world, tmp_path / "other")
    with monkeypatch.context() as killed:
        killed.delattr(holding, "write_lease")  # it dies after the note in the store, before the request
        with pytest.raises(NameError):
            adopt(other)
    with pytest.raises(StoreError, match="belongs to store"):
        run(other)
    assert run(world).outcome == "nothing new"
    assert adopt(other)
    assert run(other).outcome == "waiting"


def test_of_two_stores_that_come_first_one_wins(
    make_world: Callable[..., World], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from spanloop.rounds import holding

    world = make_world(sentences(3))
    other, write = with_store(world, tmp_path / "other"), holding.write_lease

    def come_second(*args: Any) -> Any:
        monkeypatch.setattr(holding, "write_lease", write)
        run(other)
        return write(*args)

    monkeypatch.setattr(holding, "write_lease", come_second)
    with pytest.raises(StoreError, match=f"belongs to store {other.store.id[:8]}"):
        run(world)
    assert lease(world).store == other.store.id


def test_a_program_that_writes_back_what_it_read_before_refuses_nobody(world: World) -> None:
    held = list_properties(world.client, world.dataset)[LEASE]
    run(world)
    body = {"title": held["title"], "visible_for_annotators": False}
    world.client.patch(f"metadata-properties/{held['id']}", body)
    assert run(world).outcome == "nothing new"


def test_a_title_that_somebody_changed_is_adopted(world: World) -> None:
    held = list_properties(world.client, world.dataset)[LEASE]
    world.client.patch(f"metadata-properties/{held['id']}", {"title": "Store", "visible_for_annotators": True})
    with pytest.raises(StoreError, match="belongs to whoever wrote 'Store' into its metadata property"):
        run(world)
    adopt(world)
    assert run(world).outcome == "waiting"
    assert run(world).outcome == "nothing new"


def test_a_store_goes_to_another_dataset_on_purpose_alone(world: World) -> None:
    there = ensure_named(world.client, world, "another")
    with pytest.raises(StoreError, match=r"belongs to dataset 'loop-.* not to 'another-.* a store of its own"):
        run(world)
    moved = replace(world, dataset=there)
    assert adopt(moved) == f"no store; the store belonged to dataset {world.dataset.name!r}"
    assert run(moved).reason == "0 submitted for training, 10 needed; " + (
        "the validation split has 0, 1 needed; the test split has 0, 3 needed"
    )


def ensure_named(client: ArgillaClient, world: World, name: str) -> DatasetRef:
    world.config.argilla.dataset = f"{name}-{world.dataset.name}"
    return ensure_dataset(client, world.config)


def test_an_annotators_key_is_refused_in_one_line(
    make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world(sentences(3))
    (annotator,) = simulated_annotators(world.client, world.dataset, 1)
    with annotator:
        monkeypatch.setenv("ARGILLA_API_KEY", annotator._key)
        with pytest.raises(ArgillaUnauthorized, match="does not allow this to the API key's user") as refused:
            run(world)
    assert "\n" not in str(refused.value)
    assert LEASE not in list_properties(world.client, world.dataset)
