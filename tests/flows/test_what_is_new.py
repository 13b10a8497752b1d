"""News is what waits and with which text, not how much: nothing that changed is passed over, and a look stays cheap."""

import os
from collections.abc import Callable
from typing import Any

import pytest
from faults import Proxy
from sentences import sentences
from world import World, run

from spanloop.argilla import ArgillaClient, Scored, write_suggestions
from spanloop.records import Record, ScoredSpan, Suggestion
from spanloop.rounds.outside import look_from_outside

pytestmark = pytest.mark.usefixtures("prefect_server")


def edit(world: World, record: Record, text: str) -> None:
    world.client.patch(f"records/{record.server_id}", {"fields": {"text": text}})


def look(world: World, proxy: Proxy) -> tuple[str, int]:
    """What a look from outside says, empty where there is work, and how many requests it took."""
    before = len(proxy.seen)
    with ArgillaClient(proxy.url, os.environ["ARGILLA_API_KEY"]) as client:
        report = look_from_outside(world.config, client)
    return report.reason if report else "", len(proxy.seen) - before


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """A loop that has run a first round over records that all wait."""
    world = make_world(sentences(12))
    assert run(world).outcome == "waiting"
    return world


def test_one_record_for_another_is_new(world: World, proxy: Proxy) -> None:
    assert look(world, proxy)[0].startswith("nothing new")
    gone = world.pending()[0]
    world.client.delete(f"records/{gone.server_id}")
    (other,) = sentences(1, seed=3)
    world.add([other])
    assert look(world, proxy)[0] == ""
    report = run(world)
    assert report.outcome == "waiting"
    assert all(record.metadata.get("priority") for record in world.pending())
    assert look(world, proxy)[0].startswith("nothing new")


def test_an_edited_text_gets_another_suggestion(make_world: Callable[..., World], proxy: Proxy) -> None:
    world = make_world(sentences(60))
    world.annotate(40)
    assert run(world).outcome == "promoted"
    record = next(r for r in world.pending() if r.suggestion and r.suggestion.spans)
    edit(world, record, "No.")
    assert look(world, proxy)[0] == ""
    report = run(world)
    assert report.outcome == "refreshed"
    assert report.figures.score.scored == 1
    after = world.records()[record.id]
    assert all(span.start < span.end <= 3 for span in after.suggestion.spans)
    assert after.suggestion.updated_at > record.suggestion.updated_at
    assert look(world, proxy)[0].startswith("nothing new")


def test_a_suggestion_that_nobody_renews_goes_with_its_text(make_world: Callable[..., World], proxy: Proxy) -> None:
    """Without a model in service what a file suggested stays, but not for another text."""
    world = make_world(sentences(12))
    shown = [record for record in world.pending() if not world.config.is_blind(record.group)]
    for record in shown[:2]:
        imported = Suggestion((ScoredSpan(0, 4, "person", 1.0),), "import")
        write_suggestions(world.client, world.dataset, [Scored(record.id, imported, 0.5)])
    run(world)
    first, second = (record for record in world.pending() if record.suggestion)
    edit(world, first, "Another text altogether")
    report = run(world)
    assert (report.outcome, report.figures.log.written.withdrawn) == ("waiting", 1)
    after = world.records()
    assert after[first.id].suggestion is None
    assert after[second.id].suggestion == second.suggestion
    assert run(world).outcome == "nothing new"


def test_what_is_edited_while_the_round_runs_is_new_after_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from spanloop.rounds import suggestions

    record, write = world.pending()[0], suggestions.write_suggestions

    def edit_and_write(*args: Any, **options: Any) -> Any:
        edit(world, record, "Short")
        return write(*args, **options)

    world.add(sentences(2, seed=3))
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(suggestions, "write_suggestions", edit_and_write)
        assert run(world).figures.log.written.edited == 1
    assert run(world).outcome == "waiting"
    assert run(world).outcome == "nothing new"


def test_a_record_whose_metadata_was_wiped_gets_its_place_again(world: World, proxy: Proxy) -> None:
    """`records.log` without metadata does that; such a record would come last in every annotator's queue."""
    before = world.state()
    world.client.patch(f"records/{world.pending()[0].server_id}", {"metadata": {}})
    assert look(world, proxy)[0] == ""
    report = run(world)
    assert report.figures.pull.unordered == 1
    assert world.state() == before
    assert look(world, proxy)[0].startswith("nothing new")


def test_a_record_whose_draft_is_taken_back_waits_again(world: World, proxy: Proxy) -> None:
    record = world.pending()[0]
    world.answer(record, "draft")
    run(world)
    world.add(sentences(1, seed=3))
    run(world)
    assert look(world, proxy)[0].startswith("nothing new")
    path = f"datasets/{world.dataset.id}/records/search"
    found = world.client.search(path, {}, include="responses", limit=100)["items"]
    ((response,),) = (x["record"]["responses"] for x in found if x["record"]["id"] == record.server_id)
    world.client.delete(f"responses/{response['id']}")
    assert look(world, proxy)[0] == ""
    assert run(world).figures.pull.pending == 13


def test_a_look_reads_the_texts_only_where_something_moved(world: World, proxy: Proxy) -> None:
    told, full = look(world, proxy)
    again, cheap = look(world, proxy)
    assert told == again == "nothing new since r0001: 0 records are annotated"
    assert cheap == full - 1
    assert [path.partition("?")[0] for _, path in proxy.seen[-2:]] == [
        f"/api/v1/datasets/{world.dataset.id}/records/search"
    ] * 2
    record = world.pending()[0]
    world.client.patch(f"records/{record.server_id}", {"metadata": {**record.metadata, "note": "moved"}})
    assert look(world, proxy) == (told, full)
    assert look(world, proxy) == (told, cheap)
