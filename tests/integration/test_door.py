"""The door to the real Argilla: what goes in comes out, and what people answered is never touched."""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import argilla as rg
import pytest

from spanloop.argilla import (
    ArgillaClient,
    DatasetRef,
    Scored,
    WriteReport,
    find_dataset,
    pull,
    pull_submitted,
    write_suggestions,
)
from spanloop.argilla import pull as pull_function
from spanloop.argilla.pull import look_up
from spanloop.config import LoopConfig
from spanloop.errors import ArgillaError, ArgillaUnauthorized
from spanloop.local_argilla.process import Running
from spanloop.records import Record, ScoredSpan, Span, Suggestion
from spanloop.rehearsal.annotator import SimulatedAnnotator, simulated_annotators

Fill = Callable[..., DatasetRef]
ANNA = ScoredSpan(0, 4, "person", 0.75)


def suggest(name: str, *spans: ScoredSpan, version: str = "m0001-aa", priority: float = 0.5) -> Scored:
    return Scored(name, Suggestion(spans, version), priority, 0.125)


def records(client: ArgillaClient, dataset: DatasetRef) -> dict[str, Record]:
    return {record.id: record for record in pull(client, dataset)}


def answer(client: ArgillaClient, dataset: DatasetRef, name: str, status: str, *spans: tuple[int, int, str]) -> None:
    """Answer a record as the owner, as the annotation page does."""
    server_id = records(client, dataset)[name].server_id
    value = [{"start": start, "end": end, "label": label} for start, end, label in spans]
    values = {dataset.question: {"value": value}}
    client.post(f"records/{server_id}/responses", {"status": status, "values": values})


def test_a_wrong_key_is_told_without_showing_it(loop: LoopConfig) -> None:
    with ArgillaClient(loop.argilla.api_url, "secret-key-123") as stranger:
        with pytest.raises(ArgillaUnauthorized, match="does not know this API key") as caught:
            find_dataset(stranger, loop)
        assert "secret-key-123" not in str(caught.value) + repr(stranger)


def test_an_annotator_may_not_write_suggestions(client: ArgillaClient, loop: LoopConfig, fill: Fill) -> None:
    dataset = fill({"a": "Anna"})
    (annotator,) = simulated_annotators(client, dataset, 1)
    with annotator, pytest.raises(ArgillaUnauthorized, match="does not allow this to the API key's user"):
        write_suggestions(annotator, dataset, [suggest("a", ANNA)])


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("page", [2, 3, 1000])
def test_every_record_is_read_once_whatever_the_page(
    page: int, tied: bool, monkeypatch: pytest.MonkeyPatch, client: ArgillaClient, fill: Fill, argilla_home: Path
) -> None:
    names = [f"r{number:02}" for number in range(11)]
    dataset = fill(dict.fromkeys(names, "Anna was there"))
    if tied:  # records of one moment, more than a page of them; no request can make them
        with contextlib.closing(
            sqlite3.connect(argilla_home / "argilla" / "data" / "argilla.db", timeout=30)
        ) as database:
            tie = "UPDATE records SET inserted_at = ? WHERE external_id > 'r03' AND dataset_id = ?"
            values = ["2026-01-02 03:04:05.678000", dataset.id.replace("-", "")]
            assert database.execute(tie, values).rowcount == 7
            database.commit()
    monkeypatch.setitem(pull_function.__globals__, "PAGE", page)
    assert sorted(record.id for record in pull(client, dataset)) == names


def test_records_that_leave_meanwhile_take_no_others_with_them(
    monkeypatch: pytest.MonkeyPatch, client: ArgillaClient, fill: Fill
) -> None:
    names = [f"r{number:02}" for number in range(10)]
    dataset = fill(dict.fromkeys(names, "Anna was there"))
    monkeypatch.setitem(pull_function.__globals__, "PAGE", 3)
    seen = []
    for name in names:
        answer(client, dataset, name, "submitted")
    for record in pull_submitted(client, dataset):
        if not seen:
            for item in look_up(client, dataset, names[:2]).values():
                client.put(f"responses/{item['responses'][0]['id']}", {"status": "draft", "values": {}})
        seen.append(record.id)
    assert seen == names


def test_what_was_answered_is_told_apart(client: ArgillaClient, fill: Fill) -> None:
    dataset = fill({"marked": "Anna", "negative": "Nothing here", "draft": "Anna", "discarded": "?", "open": "Anna"})
    answer(client, dataset, "marked", "submitted", (0, 4, "person"))
    answer(client, dataset, "negative", "submitted")
    answer(client, dataset, "draft", "draft", (0, 4, "person"))
    answer(client, dataset, "discarded", "discarded")
    submitted = {record.id: record.submitted[0].spans for record in pull_submitted(client, dataset)}
    assert submitted == {"marked": (Span(0, 4, "person"),), "negative": ()}
    assert [record.id for record in pull(client, dataset) if not record.responses] == ["open"]
    assert {name: r.status for name, r in records(client, dataset).items() if r.status == "completed"} == {
        "marked": "completed",
        "negative": "completed",
    }


def test_answers_of_any_kind_are_left_alone(client: ArgillaClient, fill: Fill) -> None:
    dataset = fill(dict.fromkeys(("submitted", "draft", "discarded", "open"), "Anna went out"))
    for name in ("submitted", "draft", "discarded"):
        answer(client, dataset, name, name, (0, 4, "place"))
    before = records(client, dataset)
    report = write_suggestions(client, dataset, [suggest(name, ANNA) for name in before])
    after = records(client, dataset)
    assert (report.answered, report.suggested) == (3, 1)
    assert {name: after[name] for name in after if name != "open"} == {n: before[n] for n in before if n != "open"}
    assert after["open"].suggestion is not None


def test_a_record_submitted_while_the_round_writes_keeps_its_response(client: ArgillaClient, fill: Fill) -> None:
    names = [f"r{number:03}" for number in range(260)]
    dataset = fill(dict.fromkeys(names, "Anna went out"))

    def scored() -> Iterator[Scored]:
        for number, name in enumerate(names):
            if number == 255:  # the first bulk is written, the second is being put together
                answer(client, dataset, "r000", "submitted", (0, 4, "place"))
                answer(client, dataset, "r259", "submitted", (0, 4, "place"))
            yield suggest(name, ANNA)

    report = write_suggestions(client, dataset, scored())
    after = records(client, dataset)
    assert (report.suggested, report.answered) == (259, 1)
    assert [after[name].submitted[0].spans for name in ("r000", "r259")] == [(Span(0, 4, "place"),)] * 2
    assert after["r259"].suggestion is None


def test_suggestions_are_written_once(client: ArgillaClient, fill: Fill) -> None:
    dataset = fill({"a": "Anna went out", "b": "Nobody"})
    scored = [suggest("a", ANNA, priority=0.9), suggest("b", priority=0.4), suggest("gone", ANNA)]
    assert write_suggestions(client, dataset, scored).suggested == 2
    first = records(client, dataset)
    assert first["a"].suggestion is not None
    assert (first["a"].suggestion.spans, first["a"].suggestion.agent) == ((ANNA,), "m0001-aa")
    assert first["b"].suggestion is not None
    assert first["b"].suggestion.spans == ()
    assert first["a"].metadata == {
        "group": "a",
        "split": first["a"].metadata["split"],
        "priority": 0.9,
        "uncertainty": 0.125,
        "model_version": "m0001-aa",
    }
    again = write_suggestions(client, dataset, scored)
    assert (again.unchanged, again.missing) == (2, 1)
    assert records(client, dataset) == first
    moved = write_suggestions(client, dataset, [suggest("a", ANNA, priority=0.1), Scored("b", None, 0.2)])
    assert moved.reordered == 2
    after = records(client, dataset)
    assert (after["a"].suggestion, after["b"].suggestion) == (first["a"].suggestion, first["b"].suggestion)
    assert (after["a"].metadata["priority"], after["b"].metadata["priority"]) == (0.1, 0.2)


def test_a_stale_round_never_overwrites_a_newer_one(client: ArgillaClient, fill: Fill) -> None:
    dataset = fill({"a": "Anna went out"})
    write_suggestions(client, dataset, [suggest("a", ANNA, version="m0012-bb")])
    stale = [suggest("a", version="m0009-aa", priority=0.1)]
    before = records(client, dataset)
    assert write_suggestions(client, dataset, stale, origin=lambda agent: "newer").newer == 1
    assert records(client, dataset) == before
    rolled_back = write_suggestions(client, dataset, stale)
    assert rolled_back.suggested == 1
    assert records(client, dataset)["a"].metadata["model_version"] == "m0009-aa"


def test_suggestions_of_others_are_kept_or_replaced_and_get_a_priority(client: ArgillaClient, fill: Fill) -> None:
    dataset = fill({"a": "Anna went out"})
    write_suggestions(client, dataset, [suggest("a", ANNA, version="gpt-4o", priority=0.3)])
    ours = [suggest("a", version="m0001-aa", priority=0.7)]
    kept = write_suggestions(client, dataset, ours, origin=lambda agent: "foreign", keep_foreign=True)
    after = records(client, dataset)["a"]
    assert kept.foreign == 1
    assert (after.suggestion.agent, after.metadata["priority"]) == ("gpt-4o", 0.7)
    assert after.metadata["model_version"] == "gpt-4o"  # whose suggestion stands there
    assert write_suggestions(client, dataset, ours, origin=lambda agent: "foreign").suggested == 1
    assert records(client, dataset)["a"].suggestion.agent == "m0001-aa"


def test_what_is_annotated_blind_shows_no_guess_and_keeps_its_place(client: ArgillaClient, fill: Fill) -> None:
    names = ("ours", "theirs", "newer", "answered", "none")
    dataset = fill(dict.fromkeys(names, "Anna went out"))
    versions = {"ours": "m0001-aa", "theirs": "gpt-4o", "newer": "m0009-bb", "answered": "m0001-aa"}
    write_suggestions(client, dataset, [suggest(name, ANNA, version=x) for name, x in versions.items()])
    answer(client, dataset, "answered", "draft", (0, 4, "person"))
    before = records(client, dataset)
    blind = [Scored(name, None, 0.7, blind=True) for name in names]
    origins = {"m0001-aa": "ours", "gpt-4o": "foreign", "m0009-bb": "newer"}

    kept = write_suggestions(client, dataset, blind, origin=origins.__getitem__, keep_foreign=True)
    assert kept == WriteReport(withdrawn=1, foreign=1, newer=1, answered=1, reordered=1)
    after = records(client, dataset)
    assert (after["newer"], after["answered"]) == (before["newer"], before["answered"])
    assert after["theirs"].suggestion == before["theirs"].suggestion
    assert after["ours"].suggestion is None
    for name in ("ours", "theirs", "none"):
        assert after[name].metadata == {"group": name, "split": after[name].metadata["split"], "priority": 0.7}

    replaced = write_suggestions(client, dataset, blind, origin=origins.__getitem__)
    assert replaced == WriteReport(withdrawn=1, newer=1, answered=1, unchanged=2)
    assert records(client, dataset)["theirs"].suggestion is None


def test_only_the_suggestion_of_our_question_is_taken_away(
    client: ArgillaClient, loop: LoopConfig, fill: Fill, argilla_server: Running
) -> None:
    fill({})  # makes the workspace
    sdk = rg.Argilla(api_url=argilla_server.url, api_key=argilla_server.api_key)
    spans = rg.SpanQuestion(name="entities", field="text", labels=["person", "place"])
    questions = [spans, rg.TextQuestion(name="comment", required=False)]
    settings = rg.Settings(fields=[rg.TextField(name="text")], questions=questions, allow_extra_metadata=True)
    loop.argilla.dataset += "-theirs"
    theirs = rg.Dataset(loop.argilla.dataset, loop.argilla.workspace, settings, client=sdk).create()
    suggestions = [rg.Suggestion("comment", "why not", agent="gpt-4o"), rg.Suggestion("entities", [], agent="gpt-4o")]
    theirs.records.log([rg.Record(fields={"text": "Anna went out"}, suggestions=suggestions, id="a")])

    dataset = find_dataset(client, loop)
    assert write_suggestions(client, dataset, [Scored("a", None, 0.5, blind=True)]).withdrawn == 1
    (left,) = look_up(client, dataset, ["a"])["a"]["suggestions"]
    assert left["value"] == "why not"


def test_metadata_of_others_stays(client: ArgillaClient, fill: Fill) -> None:
    dataset = fill({"a": "Anna went out"})
    metadata = {**records(client, dataset)["a"].metadata, "source": "somebody's notes"}
    client.put(f"datasets/{dataset.id}/records/bulk", {"items": [{"external_id": "a", "metadata": metadata}]})
    write_suggestions(client, dataset, [suggest("a", ANNA)])
    assert records(client, dataset)["a"].metadata["source"] == "somebody's notes"


def test_the_server_counts_otherwise_than_the_page_and_both_are_satisfied(client: ArgillaClient, fill: Fill) -> None:
    text = "\U0001f600\U0001f600 went to Paris"  # 16 code points, 18 code units
    paris = ScoredSpan(11, 16, "place", 0.5)
    dataset = fill({"ours": text})
    client.put(f"datasets/{dataset.id}/records/bulk", {"items": [{"external_id": "raw", "fields": {"text": text}}]})
    with pytest.raises(ArgillaError, match="must have a value lower or equal than record field `text` length"):
        answer(client, dataset, "raw", "submitted", (13, 18, "place"))
    assert write_suggestions(client, dataset, [suggest("ours", paris), suggest("raw", paris)]).suggested == 2
    answer(client, dataset, "raw", "submitted", (13, 18, "place"))
    after = records(client, dataset)
    assert [after[name].text for name in ("ours", "raw")] == [text, text]
    assert after["raw"].submitted[0].spans == (paris.span,) and paris.span == Span(11, 16, "place")  # noqa: PT018
    assert after["ours"].suggestion is not None
    assert after["ours"].suggestion.spans == (paris,)


def test_simulated_annotators_take_the_queue_in_order(client: ArgillaClient, loop: LoopConfig, fill: Fill) -> None:
    texts = {f"r{number}": "Anna \U0001f600 in Paris" for number in range(8)}
    dataset = fill(texts)
    order = ["r5", "r2", "r7", "r0", "r1", "r3", "r4", "r6"]
    write_suggestions(client, dataset, [Scored(name, None, 1 - at / 10) for at, name in enumerate(order)])
    gold = {name: (Span(0, 4, "person"), Span(10, 15, "place")) for name in texts if name != "r2"}
    one, two = simulated_annotators(client, dataset, 2)
    with one, two:
        assert _done(SimulatedAnnotator(one, dataset, gold).annotate(3)) == (3, 1)
        assert _done(SimulatedAnnotator(two, dataset, gold).annotate(10)) == (4, 1)
    answered = {record.id: record for record in pull_submitted(client, dataset)}
    users = {record.id: record.submitted[0].user for record in answered.values()}
    assert {users["r5"], users["r7"], users["r0"]} == {users["r5"]} != {users["r1"]}
    assert {record.submitted[0].spans for record in answered.values()} == {gold["r0"]}
    members = client.get(f"workspaces/{dataset.workspace_id}/users")["items"]
    assert {user["username"] for user in members} >= {"simulated-annotator-1", "simulated-annotator-2"}


def _done(done: Any) -> tuple[int, int]:
    return done.submitted, done.without_gold
