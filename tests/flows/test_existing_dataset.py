"""Datasets that people made with Argilla's own client: a round makes what is missing, or says at once what is wrong."""

import os
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import argilla as rg
import httpx
import pytest
from sentences import sentences
from world import World, run

from spanloop.argilla import ensure_dataset, find_dataset
from spanloop.argilla.sending import submit_response
from spanloop.errors import ArgillaError
from spanloop.local_argilla.process import Running
from spanloop.rehearsal.annotator import simulated_annotators

pytestmark = pytest.mark.usefixtures("prefect_server")
Make = Callable[..., World]


@pytest.fixture
def make_theirs(make_world: Callable[..., World], argilla_server: Running) -> Make:
    """A loop that is pointed at a dataset of somebody else's: 60 records, `answered` of them with a response."""
    sdk = rg.Argilla(api_url=argilla_server.url, api_key=argilla_server.api_key)

    def make(answered: int = 40, *, unanswered: int = 0, **settings: Any) -> World:
        world = make_world([])
        name = f"theirs-{uuid4().hex[:8]}"
        questions = [
            rg.SpanQuestion(name="entities", field="text", labels=["person", "place"], required=not unanswered),
            rg.TextQuestion(name="comment", required=bool(unanswered)),
        ]
        shape = rg.Settings(fields=[rg.TextField(name="text")], questions=questions, **settings)
        dataset = rg.Dataset(name=name, workspace="flows", settings=shape, client=sdk).create()
        dataset.records.log([record(s, i, answered, unanswered) for i, s in enumerate(sentences(60))])
        world.config.argilla.dataset = name
        world.dataset = find_dataset(world.client, world.config)
        return world

    def record(sentence: Any, number: int, answered: int, unanswered: int) -> rg.Record:
        spans = [{"start": s.start, "end": s.end, "label": s.label} for s in sentence.spans or ()]
        responses = [rg.Response("comment", "no idea", user_id=sdk.me.id, status="submitted")] * bool(unanswered)
        if number >= unanswered:
            responses.append(rg.Response("entities", spans, user_id=sdk.me.id, status="submitted"))
        return rg.Record(fields={"text": sentence.text}, responses=responses if number < answered else [])

    return make


def test_what_a_round_writes_is_made_where_it_is_missing(make_theirs: Make) -> None:
    world = make_theirs(allow_extra_metadata=False)
    report = run(world)
    assert report.outcome == "promoted"
    queue, (training, held_out) = world.pending(), world.waiting()
    assert report.figures.log.written.suggested == len(training) == 20 - len(held_out)
    assert {r.suggestion and r.suggestion.agent for r in training} == {report.champion}
    body = {"sort": [{"scope": {"entity": "metadata", "metadata_property": "priority"}, "order": "desc"}]}
    found = world.client.search(f"me/datasets/{world.dataset.id}/records/search", body, limit=20)
    assert [x["record"]["id"] for x in found["items"]] == [r.server_id for r in queue]


def test_a_property_of_another_type_is_told_before_any_work(make_theirs: Make) -> None:
    world = make_theirs(metadata=[rg.TermsMetadataProperty(name="priority", options=["low", "high"])])
    with pytest.raises(ArgillaError, match="'priority' of type terms, where spanloop writes any float; delete it"):
        run(world)
    assert world.store.names("snapshots") == []
    (found,) = world.client.get(f"me/datasets/{world.dataset.id}/metadata-properties")["items"]
    key = {"X-Argilla-Api-Key": os.environ["ARGILLA_API_KEY"]}
    httpx.delete(f"{world.client.url}/api/v1/metadata-properties/{found['id']}", headers=key).raise_for_status()
    assert run(world).outcome == "promoted"


def test_a_question_that_is_left_out_says_nothing_of_spans(make_theirs: Make, caplog: pytest.LogCaptureFixture) -> None:
    world = make_theirs(answered=50, unanswered=10)
    report = run(world)
    assert report.figures.annotations.annotated == 40
    assert "10 responses leave 'entities' unanswered" in caplog.text


def test_a_record_is_gold_when_it_is_complete(make_theirs: Make) -> None:
    world = make_theirs(distribution=rg.TaskDistribution(min_submitted=2))
    report = run(world)
    assert (report.outcome, report.figures.annotations.annotated) == ("waiting", 0)


@pytest.mark.parametrize("min_submitted", [1, 2])
def test_records_whose_annotators_are_gone_wait_again(min_submitted: int, make_world: Callable[..., World]) -> None:
    """Argilla drops the responses of a deleted user and keeps their records completed: nobody would see those again."""
    world = make_world(sentences(4))
    world.config.task.min_submitted = min_submitted
    world.dataset = ensure_dataset(world.client, world.config)
    people = simulated_annotators(world.client, world.dataset, 2)
    first, second, third, fourth = world.pending()
    for record, who in ((first, people), (second, people), (third, people[:1])):
        for client in who:
            submit_response(client, world.dataset, record, ())
    world.client.delete(f"users/{people[0].get('me')['id']}")
    assert run(world).outcome == "waiting"
    back = {1: {third.id}, 2: {first.id, second.id}}[min_submitted]
    found = world.records()
    assert {name for name, record in found.items() if record.status == "pending"} == {third.id, fourth.id} | back
    assert all("priority" in found[record.id].metadata for record in (third, fourth))
    assert [len(found[record.id].responses) for record in (first, second, third)] == [1, 1, 0]
    before = {name: record.responses for name, record in found.items()}
    run(world, again=True)
    assert {name: record.responses for name, record in world.records().items()} == before
