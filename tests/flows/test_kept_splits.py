"""A record's split is dealt once: no setting, no metadata and no second import moves it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sentences import sentences
from world import World, run

from spanloop.records import SPLITS
from spanloop.rounds.grouping import known_dealing
from spanloop.snapshot import read_examples

pytestmark = pytest.mark.usefixtures("prefect_server")


def splits(world: World, report: Any) -> dict[str, str]:
    """The split of each record of a round's snapshot."""
    folder = world.store.path("snapshots", report.figures.snapshot.version)
    return {example.id: split for split in SPLITS for example in read_examples(folder, split)}


def test_settings_metadata_and_a_second_import_move_no_record(make_world: Callable[..., World]) -> None:
    documents = [replace(s, group=f"doc{i % 20}") for i, s in enumerate(sentences(80))]
    world = make_world(documents)
    world.annotate(50)
    first = run(world, again=True)
    was, dealt = splits(world, first), known_dealing(world.store, world.config.splits)
    assert (first.figures.pull.regrouped, first.figures.pull.resplit) == ((), ())

    world.config.splits.seed, world.config.splits.test = 7, 0.1
    settled = run(world, again=True)
    assert settled.figures.snapshot.version == first.figures.snapshot.version
    assert settled.figures.train.challenger is None  # nothing to train again
    moved = {x.id for x in documents if world.config.splits.split_of(x.group) != dealt.splits[x.group]}
    assert set(settled.figures.pull.resplit) == moved
    queue = world.pending()
    held_out = [dealt.splits[record.group] != "train" for record in queue]
    assert any(held_out)
    assert sum(held_out[: len(queue) // 2]) >= sum(held_out) // 2 - 1  # half of every batch, by the kept splits

    again = [replace(x, group="another") for x in documents if x.id not in was][:5]
    for record in (world.records()[x.id] for x in again):
        world.client.delete(f"records/{record.server_id}")
    tested = next(group for group, split in dealt.splits.items() if split == "test")
    new = [replace(x, id=f"new-{i}", group=tested) for i, x in enumerate(sentences(3, seed=5))]
    world.add([*again, *new])
    there = world.records()
    kept = {x.id: x for x in documents}
    assert all(there[x.id].metadata["split"] == dealt.splits[kept[x.id].group] for x in again)
    assert {there[x.id].metadata["split"] for x in new} == {"test"}
    for record in (*[there[x.id] for x in again], *[there[x.id] for x in new]):
        world.answer(record, "submitted", world.gold[record.id])
    known = [record for name, record in there.items() if name in kept]
    items = [{"id": record.server_id, "metadata": {}} for record in known]
    world.client.put(f"datasets/{world.dataset.id}/records/bulk", {"items": items})
    last = run(world, again=True)
    assert {**splits(world, last), **was} == splits(world, last)
    assert {splits(world, last)[x.id] for x in new} == {"test"}
    assert set(last.figures.pull.regrouped) == set(kept)
