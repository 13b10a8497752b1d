"""People change records between our look and our write: what is gone stays gone, what changed is left alone."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from faults import DROPPED_AFTER, Proxy

from spanloop.argilla import ArgillaClient, DatasetRef, Scored, pull, write_suggestions
from spanloop.argilla.embeddings import EMBEDDING, ensure_vectors, write_vectors
from spanloop.config import LoopConfig
from spanloop.errors import ArgillaError
from spanloop.importing import Imported
from spanloop.importing.upload import import_records
from spanloop.local_argilla.process import Running
from spanloop.records import Record, ScoredSpan, Span, Suggestion

Fill = Callable[..., DatasetRef]
Change = Callable[[Record], object]
TEXTS = {name: f"Anna lives in Rome, says {name}" for name in ("left", "gone", "right")}
ROME = ScoredSpan(14, 18, "place", 0.5)


@pytest.fixture
def watched(proxy: Proxy, argilla_server: Running) -> Iterator[ArgillaClient]:
    """A client whose requests go through the proxy."""
    with ArgillaClient(proxy.url, argilla_server.api_key, sleep=lambda _: None) as client:
        yield client


def records(client: ArgillaClient, dataset: DatasetRef) -> dict[str, Record]:
    return {record.id: record for record in pull(client, dataset)}


def suggest(name: str, *spans: ScoredSpan, **more: Any) -> Scored:
    return Scored(name, Suggestion(spans or (ROME,), "m0001-aa"), 0.5, text=TEXTS.get(name), **more)


def at_first(proxy: Proxy, method: str, ending: str, act: Callable[[], object]) -> None:
    """Do something right before the first request of a kind reaches the server."""
    left = [act]

    def meanwhile(seen: str, path: str) -> str:
        if left and seen == method and path.partition("?")[0].endswith(ending):
            left.pop()()
        return ""

    proxy.fault = meanwhile


def delete(client: ArgillaClient, record: Record) -> None:
    client.delete(f"records/{record.server_id}")


def answer(client: ArgillaClient, dataset: DatasetRef, record: Record) -> None:
    values = {dataset.question: {"value": [{"start": 0, "end": 4, "label": "person"}]}}
    client.post(f"records/{record.server_id}/responses", {"status": "submitted", "values": values})


def test_a_record_that_is_deleted_before_the_bulk_arrives_is_missing(
    proxy: Proxy, watched: ArgillaClient, client: ArgillaClient, fill: Fill
) -> None:
    dataset = fill(TEXTS)
    gone = records(client, dataset)["gone"]
    at_first(proxy, "PUT", "/bulk", lambda: delete(client, gone))
    report = write_suggestions(watched, dataset, [suggest(name) for name in TEXTS])
    assert (report.suggested, report.missing) == (2, 1)
    after = records(client, dataset)
    assert {name: record.suggestion.spans for name, record in after.items()} == {"left": (ROME,), "right": (ROME,)}


def test_a_text_that_is_edited_before_the_bulk_arrives_waits_for_the_next_round(
    proxy: Proxy, watched: ArgillaClient, client: ArgillaClient, fill: Fill
) -> None:
    dataset = fill(TEXTS)
    short = records(client, dataset)["gone"]
    at_first(proxy, "PUT", "/bulk", lambda: client.patch(f"records/{short.server_id}", {"fields": {"text": "Anna"}}))
    report = write_suggestions(watched, dataset, [suggest(name) for name in TEXTS])
    assert (report.suggested, report.edited) == (2, 1)
    after = records(client, dataset)["gone"]
    assert (after.text, after.suggestion) == ("Anna", None)
    assert write_suggestions(client, dataset, [suggest("gone")]).edited == 1  # also where the look sees it already


@pytest.mark.parametrize("request_of", [("PATCH", ""), ("PUT", "/bulk")])
def test_a_record_of_somebody_elses_is_not_made_again(
    request_of: tuple[str, str], proxy: Proxy, watched: ArgillaClient, client: ArgillaClient, fill: Fill
) -> None:
    """Its text lacks the room that its offsets need, so that it is written to: that must not bring it back."""
    dataset, text = fill(TEXTS), "\U0001f600\U0001f600 in Rome"
    fields = {"items": [{"external_id": "raw", "fields": {"text": text}}]}
    client.put(f"datasets/{dataset.id}/records/bulk", fields)
    raw = records(client, dataset)["raw"]
    at_first(proxy, *request_of, lambda: delete(client, raw))
    scored = [suggest("raw", ScoredSpan(6, 10, "place", 0.5)), suggest("left")]
    report = write_suggestions(watched, dataset, scored)
    assert (report.missing, report.suggested) == (1, 1)
    assert set(records(client, dataset)) == set(TEXTS)


def test_embeddings_go_to_the_records_that_are_left(
    proxy: Proxy, watched: ArgillaClient, client: ArgillaClient, fill: Fill
) -> None:
    dataset, raw = fill(TEXTS), "\U0001f600\U0001f600 in Rome"
    fields = {"items": [{"external_id": "raw", "fields": {"text": raw}}]}
    client.put(f"datasets/{dataset.id}/records/bulk", fields)
    ensure_vectors(client, dataset, 2)
    gone, told = records(client, dataset)["gone"], list[str]()
    at_first(proxy, "PUT", "/bulk", lambda: delete(client, gone))
    write_vectors(watched, dataset, [(name, np.array([0.6, 0.8])) for name in (*TEXTS, "raw")], told.extend)
    assert told == [*TEXTS, "raw"]
    found = client.search(f"datasets/{dataset.id}/records/search", {}, include="vectors")["items"]
    assert {x["record"]["external_id"] for x in found} == {"left", "right", "raw"}
    assert all(x["record"]["vectors"] == {EMBEDDING: [0.6, 0.8]} for x in found)
    assert write_suggestions(client, dataset, [suggest("raw", ScoredSpan(6, 10, "place", 0.5))]).suggested == 1


def test_a_record_that_is_deleted_and_imported_again_gets_its_suggestion(
    proxy: Proxy, watched: ArgillaClient, client: ArgillaClient, loop: LoopConfig, fill: Fill
) -> None:
    dataset = fill(TEXTS)
    gone = records(client, dataset)["gone"]

    def replace() -> None:
        delete(client, gone)
        import_records(client, dataset, [Imported("gone", "gone", TEXTS["gone"], None, "")], loop)

    at_first(proxy, "PUT", "/bulk", replace)
    assert write_suggestions(watched, dataset, [suggest(name) for name in TEXTS]).suggested == 3
    after = records(client, dataset)
    assert set(after) == set(TEXTS)
    assert after["gone"].server_id != gone.server_id


def test_what_is_submitted_before_the_bulk_is_refused_stays_as_it_is(
    proxy: Proxy, watched: ArgillaClient, client: ArgillaClient, fill: Fill
) -> None:
    dataset = fill(TEXTS)
    there = records(client, dataset)

    def act() -> None:
        delete(client, there["gone"])
        answer(client, dataset, there["right"])

    at_first(proxy, "PUT", "/bulk", act)
    report = write_suggestions(watched, dataset, [suggest(name) for name in TEXTS])
    assert (report.suggested, report.missing, report.answered) == (1, 1, 1)
    right = records(client, dataset)["right"]
    assert [response.spans for response in right.submitted] == [(Span(0, 4, "person"),)]
    assert right.suggestion is None


def test_what_the_server_refuses_of_records_that_are_as_they_were_is_an_error(
    client: ArgillaClient, fill: Fill
) -> None:
    dataset = fill(TEXTS)
    with pytest.raises(ArgillaError, match=r"refused PUT .*\(422\)"):
        write_suggestions(client, dataset, [suggest("left", ScoredSpan(0, 4, "no such label", 0.5))])


def test_a_suggestion_for_another_text_is_withdrawn_where_there_is_no_new_one(
    proxy: Proxy, watched: ArgillaClient, client: ArgillaClient, fill: Fill
) -> None:
    dataset = fill(TEXTS)
    write_suggestions(client, dataset, [suggest(name) for name in TEXTS])
    proxy.fault = lambda method, path: DROPPED_AFTER if [m for m, _ in proxy.seen].count("DELETE") == 1 else ""
    stale = [Scored(name, None, 0.7, stale=name == "left") for name in TEXTS]
    foreign = write_suggestions(watched, dataset, stale, origin=lambda agent: "foreign")
    assert (foreign.withdrawn, foreign.reordered) == (0, 3)
    ours = write_suggestions(watched, dataset, stale)
    assert (ours.withdrawn, ours.unchanged) == (1, 2)
    after = records(client, dataset)
    assert {name: bool(record.suggestion) for name, record in after.items()} == {
        **dict.fromkeys(TEXTS, True),
        "left": False,
    }
    assert "model_version" not in after["left"].metadata
    assert write_suggestions(watched, dataset, stale).unchanged == 3


@pytest.mark.parametrize("annotations", ["responses", "suggestions"])
def test_an_import_passes_over_what_is_deleted_meanwhile(
    annotations: str, proxy: Proxy, watched: ArgillaClient, client: ArgillaClient, loop: LoopConfig, fill: Fill
) -> None:
    dataset = fill(TEXTS)
    gone = records(client, dataset)["gone"]
    request_of = ("POST", "/responses") if annotations == "responses" else ("PUT", "/bulk")
    at_first(proxy, *request_of, lambda: delete(client, gone))
    file = [Imported(name, name, text, (ROME.span,), name) for name, text in TEXTS.items()]
    assert import_records(watched, dataset, file, loop, annotations=annotations).annotated == 2
    assert set(records(client, dataset)) == {"left", "right"}
