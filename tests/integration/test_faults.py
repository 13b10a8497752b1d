"""Whatever breaks between spanloop and Argilla, and whenever: nothing is lost, nothing is doubled."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

import pytest
from faults import FAULTS, PATIENCE, Proxy, first_time_each

from spanloop.argilla import ArgillaClient, DatasetRef, Scored, ensure_dataset, pull, write_suggestions
from spanloop.argilla.sending import NewRecord, create_records, submit_response
from spanloop.argilla.shape import Property
from spanloop.config import LoopConfig
from spanloop.errors import ArgillaUnreachable
from spanloop.importing import Imported
from spanloop.importing.upload import import_records
from spanloop.local_argilla.process import Running
from spanloop.records import Record, ScoredSpan, Span, Suggestion
from spanloop.rehearsal.annotator import SimulatedAnnotator, simulated_annotators

TEXTS = {f"r{number:03}": f"Anna number {number} lives in Paris" for number in range(300)}  # two bulks
Fill = Callable[..., DatasetRef]
ANNA = Span(0, 4, "person")
PARIS = Span(23, 28, "place")


@pytest.fixture
def shaky(proxy: Proxy, argilla_server: Running) -> Iterator[ArgillaClient]:
    """A client behind the proxy, with little patience."""
    with ArgillaClient(proxy.url, argilla_server.api_key, timeout=PATIENCE, sleep=lambda _: None) as client:
        yield client


def imported(texts: dict[str, str]) -> list[Imported]:
    return [Imported(name, name, text, (ANNA,), name) for name, text in texts.items()]


def state(records: Iterator[Record]) -> list[tuple[object, ...]]:
    """All that a round may change, without the times."""
    return sorted(
        (r.id, r.text, tuple(x.spans for x in r.responses), r.suggestion and r.suggestion.spans, str(r.metadata))
        for r in records
    )


def suggestions(version: str, score: float = 0.5) -> list[Scored]:
    found = Suggestion((ScoredSpan(0, 4, "person", score),), version)
    return [Scored(name, found, number / len(TEXTS), 0.25) for number, name in enumerate(TEXTS, start=1)]


@pytest.mark.parametrize("fault", FAULTS)
def test_every_first_change_fails_and_all_arrives_once(
    fault: str, proxy: Proxy, shaky: ArgillaClient, client: ArgillaClient, loop: LoopConfig
) -> None:
    texts = dict(list(TEXTS.items())[:20])
    proxy.fault = first_time_each(fault)
    dataset = ensure_dataset(shaky, loop)
    loop.task.blind_held_out = False
    import_records(shaky, dataset, imported(texts), loop, annotations="suggestions")
    (annotator,) = simulated_annotators(shaky, dataset, 1)
    with annotator:
        SimulatedAnnotator(annotator, dataset, dict.fromkeys(texts, (ANNA,))).annotate(2)
    write_suggestions(shaky, dataset, suggestions("m0001-aa")[:20])

    records = list(pull(client, dataset))
    assert sorted(r.id for r in records) == sorted(texts)
    answered = [r for r in records if r.responses]
    assert [[x.spans for x in r.responses] for r in answered] == [[(ANNA,)]] * 2
    assert all(r.suggestion and r.suggestion.agent == ("import" if r.responses else "m0001-aa") for r in records)
    named = [x for x in client.get("me/datasets")["items"] if x["name"] == loop.argilla.dataset]
    assert len(named) == 1
    assert len(client.get(f"me/datasets/{dataset.id}/metadata-properties")["items"]) == len(get_args(Property))


@pytest.mark.parametrize("fault", FAULTS)
def test_suggestions_go_where_none_may_stay(
    fault: str, proxy: Proxy, shaky: ArgillaClient, client: ArgillaClient, loop: LoopConfig, fill: Fill
) -> None:
    dataset = fill(dict(list(TEXTS.items())[:8]))
    write_suggestions(client, dataset, suggestions("m0001-aa")[:8])
    first, *others = pull(client, dataset)
    submit_response(client, dataset, first, (PARIS,))
    blind = [Scored(record.id, None, 0.5, blind=True) for record in (first, *others)]
    proxy.fault = first_time_each(fault)
    report = write_suggestions(shaky, dataset, blind)
    assert (report.withdrawn, report.answered) == (7, 1)
    answered, *rest = pull(client, dataset)
    assert answered.suggestion is not None
    assert [x.spans for x in answered.responses] == [(PARIS,)]
    assert all(r.suggestion is None and r.metadata.keys() == {"group", "split", "priority"} for r in rest)
    assert write_suggestions(client, dataset, blind).unchanged == 7


@pytest.mark.parametrize("fault", FAULTS)
def test_responses_of_a_file_arrive_once(
    fault: str, proxy: Proxy, shaky: ArgillaClient, client: ArgillaClient, loop: LoopConfig
) -> None:
    records = imported(dict(list(TEXTS.items())[:8]))
    dataset = ensure_dataset(client, loop)
    import_records(client, dataset, records[:3], loop)
    proxy.fault = first_time_each(fault)
    report = import_records(shaky, dataset, records, loop, annotations="responses")
    assert (report.created, report.present, report.annotated) == (5, 3, 8)
    found = list(pull(client, dataset))
    assert [[x.spans for x in record.submitted] for record in found] == [[(ANNA,)]] * 8


def test_an_answer_given_while_the_import_runs_stays(
    proxy: Proxy, shaky: ArgillaClient, client: ArgillaClient, loop: LoopConfig
) -> None:
    records = imported(dict(list(TEXTS.items())[:4]))
    dataset = ensure_dataset(client, loop)
    import_records(client, dataset, records[:1], loop)

    def answer_first(method: str, path: str) -> str:
        """As the same user, between the import's look and its own writing."""
        if path.endswith("/records/bulk"):
            proxy.fault = lambda method, path: ""
            create_records(client, dataset, [NewRecord(records[1].id, records[1].text, {}, response=(PARIS,))])
            there = {record.id: record for record in pull(client, dataset)}
            submit_response(client, dataset, there[records[0].id], (PARIS,))
        return ""

    proxy.fault = answer_first
    import_records(shaky, dataset, records, loop, annotations="responses")
    found = {record.id: [x.spans for x in record.submitted] for record in pull(client, dataset)}
    assert found == dict(zip(list(TEXTS)[:4], [[(PARIS,)], [(PARIS,)], [(ANNA,)], [(ANNA,)]], strict=True))


def test_a_server_that_is_away_is_one_line_and_nothing_is_written(proxy: Proxy, shaky: ArgillaClient) -> None:
    proxy.fault = lambda method, path: "busy before"
    with pytest.raises(ArgillaUnreachable, match=r"keeps failing with 503: busy; see its log") as caught:
        shaky.get("me")
    assert "\n" not in str(caught.value)
    assert len(proxy.seen) == 5


def test_a_write_killed_between_two_bulks_converges(
    proxy: Proxy, argilla_server: Running, client: ArgillaClient, loop: LoopConfig, fill: Callable[..., DatasetRef]
) -> None:
    dataset = fill(TEXTS)
    paths = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "support")]
    command = [sys.executable, "-c", f"import sys; sys.path += {paths}\n{_WORKER}"]
    worker = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)

    def kill_at_second_bulk(method: str, path: str) -> str:
        if method == "PUT" and sum(seen == "PUT" for seen, _ in proxy.seen) == 2:
            worker.kill()
        return ""

    proxy.fault = kill_at_second_bulk
    config = loop.model_copy(deep=True)
    config.argilla.api_url = proxy.url
    worker.communicate(f"{argilla_server.api_key}\n{config.model_dump_json()}\n", timeout=60)
    assert worker.returncode == -9
    assert sum(record.suggestion is not None for record in pull(client, dataset)) >= 250

    report = write_suggestions(client, dataset, suggestions("m0001-aa"))
    assert report.suggested + report.unchanged == 300
    assert report.unchanged >= 250
    once = state(pull(client, dataset))
    assert all(suggested == (ScoredSpan(0, 4, "person", 0.5),) for _, _, _, suggested, _ in once)
    assert write_suggestions(client, dataset, suggestions("m0001-aa")).unchanged == 300
    assert state(pull(client, dataset)) == once


_WORKER = """
import sys
from test_faults import suggestions
from spanloop.argilla import ArgillaClient, find_dataset, write_suggestions
from spanloop.config import LoopConfig
key, loop = sys.stdin.readline().strip(), LoopConfig.model_validate_json(sys.stdin.readline())
client = ArgillaClient(loop.argilla.api_url, key)
write_suggestions(client, find_dataset(client, loop), suggestions("m0001-aa"))
"""
