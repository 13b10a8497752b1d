"""`spanloop review` against the real Argilla: what it names, what it writes, and what it leaves alone."""

import json
from collections.abc import Callable
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest
from rounds import a_round

from spanloop.argilla import ArgillaClient, DatasetRef, Scored, pull, write_suggestions
from spanloop.argilla.links import review_link
from spanloop.argilla.pull import look_up
from spanloop.argilla.sending import submit_response
from spanloop.cli.review import review
from spanloop.config import LoopConfig
from spanloop.errors import StoreError
from spanloop.local_argilla.process import Running
from spanloop.records import Evidence, Record, ScoredSpan, Span, Suggestion
from spanloop.store import Store
from spanloop.store.contents import Kind
from spanloop.store.jsonl import write_json
from spanloop.training.evidence_file import EVIDENCE, write_evidence

ANNA, PARIS, TEXT = Span(0, 4, "person"), Span(8, 13, "place"), "Anna in Paris"
RIGHT = tuple(ScoredSpan(s.start, s.end, s.label, 0.9) for s in (ANNA, PARIS))
WRONG = {"mislabelled": (ANNA, Span(8, 13, "person")), "forgotten": (ANNA,)}
MARKED = {**WRONG, **{f"right{i}": (ANNA, PARIS) for i in range(6)}}


@pytest.fixture
def store(loop: LoopConfig, tmp_path: Path) -> Store:
    """A store whose only model judged the records."""
    loop.store = str(tmp_path / "store")
    evidence = []
    for name, spans in MARKED.items():
        scored = tuple(ScoredSpan(s.start, s.end, s.label, 0.9 if s in (ANNA, PARIS) else 0.01) for s in spans)
        found = (*RIGHT[:1], ScoredSpan(*astuple(PARIS), 0.8 if name == "forgotten" else 0.9))
        evidence.append(Evidence(name, scored, found))
    store = Store(loop.store)
    publish(store, "models", "m0001-aaaaaaaa", lambda folder: write_evidence(folder / EVIDENCE, evidence))
    return store


def publish(store: Store, kind: Kind, name: str, write: Callable[[Path], object]) -> None:
    def build(folder: Path) -> None:
        write(folder)

    store.publish(kind, name, build)


@pytest.fixture
def submitted(client: ArgillaClient, fill: Callable[..., DatasetRef]) -> DatasetRef:
    """Records that somebody submitted with these spans, one with a suggestion and metadata of its own; and one more."""
    dataset = fill({**dict.fromkeys(MARKED, TEXT), "pending": TEXT})
    write_suggestions(client, dataset, [Scored("forgotten", Suggestion(RIGHT, "m0000-00000000"), 0.5)])
    there = records(client, dataset)
    for name, spans in MARKED.items():
        submit_response(client, dataset, there[name], spans)
    return dataset


@pytest.fixture
def run(
    loop: LoopConfig, argilla_server: Running, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., None]:
    """The command, as typed."""
    monkeypatch.setenv("ARGILLA_API_KEY", argilla_server.api_key)
    monkeypatch.setenv("COLUMNS", "200")

    def run_(**options: Any) -> None:
        (tmp_path / "spanloop.yaml").write_text(json.dumps(loop.model_dump()))
        review(**{"config": tmp_path / "spanloop.yaml", "limit": 30, **options})

    return run_


def records(client: ArgillaClient, dataset: DatasetRef) -> dict[str, Record]:
    return {record.id: record for record in pull(client, dataset)}


def suspicions(client: ArgillaClient, dataset: DatasetRef) -> dict[str, float]:
    return {x.id: float(str(x.metadata["suspicion"])) for x in pull(client, dataset) if "suspicion" in x.metadata}


def test_the_likeliest_mistakes_are_named_and_found_in_argilla(
    run: Callable[..., None], client: ArgillaClient, submitted: DatasetRef, capsys: pytest.CaptureFixture[str]
) -> None:
    before = records(client, submitted)
    run()
    said = " ".join(capsys.readouterr().out.split())
    assert "wrong type" in said
    assert "[Paris]: person" in said
    assert "missed" in said
    assert "place 80 %" in said
    assert "place 90 %" in said
    assert "2 written, 0 unchanged, 0 cleared" in said
    assert review_link(client.url, submitted.id) in said
    assert "(owner 2)" in said
    found = suspicions(client, submitted)
    assert set(found) == {"mislabelled", "forgotten"}
    body = {"sort": [{"scope": {"entity": "metadata", "metadata_property": "suspicion"}, "order": "desc"}]}
    first = client.search(f"me/datasets/{submitted.id}/records/search", body, limit=2)["items"]
    assert [item["record"]["external_id"] for item in first] == sorted(found, key=lambda name: -found[name])
    after = records(client, submitted)
    for name, record in after.items():
        assert (record.responses, record.suggestion) == (before[name].responses, before[name].suggestion)
        assert {k: v for k, v in record.metadata.items() if k != "suspicion"} == before[name].metadata


def test_again_changes_nothing_and_fewer_clears_the_rest(
    run: Callable[..., None], client: ArgillaClient, submitted: DatasetRef, capsys: pytest.CaptureFixture[str]
) -> None:
    run()
    found = suspicions(client, submitted)
    run()
    assert "0 written, 2 unchanged, 0 cleared" in capsys.readouterr().out
    assert suspicions(client, submitted) == found
    run(limit=1)
    worst = max(found, key=lambda name: found[name])
    assert suspicions(client, submitted) == {worst: found[worst]}
    run(limit=0)
    assert suspicions(client, submitted) == {}


def test_a_record_that_was_corrected_is_suspected_no_longer(
    run: Callable[..., None], client: ArgillaClient, submitted: DatasetRef, capsys: pytest.CaptureFixture[str]
) -> None:
    run()
    answer(client, submitted, "mislabelled", [ANNA, PARIS])
    run()
    assert set(suspicions(client, submitted)) == {"forgotten"}
    assert "1 were submitted again since" in capsys.readouterr().out


def test_whoever_submits_a_record_anew_as_it_was_meant_it(
    run: Callable[..., None], client: ArgillaClient, submitted: DatasetRef, store: Store
) -> None:
    now = max(r.updated_at for record in pull(client, submitted) for r in record.responses)
    trained = {"champion": None, "challenger": "m0001-aaaaaaaa"}
    past = a_round(started_at="2099-01-01T00:00:00+00:00", train=trained, annotations={"answered_until": now})
    publish(store, "rounds", "r0001", lambda to: write_json(to / "round.json", past.model_dump(mode="json")))
    run()
    assert set(suspicions(client, submitted)) == set(WRONG)
    answer(client, submitted, "forgotten", [ANNA], status="draft")
    answer(client, submitted, "forgotten", [ANNA])
    run()
    assert set(suspicions(client, submitted)) == {"mislabelled"}


def test_an_answer_taken_back_takes_its_suspicion_along(
    run: Callable[..., None], client: ArgillaClient, submitted: DatasetRef
) -> None:
    run()
    answer(client, submitted, "forgotten", [], status="discarded")
    run()
    assert set(suspicions(client, submitted)) == {"mislabelled"}


def test_what_stands_in_the_way_is_named_and_nothing_changes(
    loop: LoopConfig, run: Callable[..., None], client: ArgillaClient, submitted: DatasetRef, tmp_path: Path
) -> None:
    loop.store = str(tmp_path / "empty")
    with pytest.raises(StoreError, match=r"has no model yet, .* run a round first"):
        run()
    loop.store = str(tmp_path / "other")
    training = {"config": {"folds": 0}}
    publish(Store(loop.store), "models", "m0001-bbbbbbbb", lambda to: write_json(to / "training.json", training))
    with pytest.raises(StoreError, match=r"m0001-bbbbbbbb was trained with training\.folds 0; set it to 2 or more"):
        run()
    assert suspicions(client, submitted) == {}


def answer(client: ArgillaClient, dataset: DatasetRef, name: str, spans: list[Span], status: str = "submitted") -> None:
    """Change one's own response, as the page does."""
    item = look_up(client, dataset, [name])[name]
    value = [{"label": s.label, "start": s.start, "end": s.end} for s in spans]
    body = {"status": status, "values": {dataset.question: {"value": value}}}
    client.put(f"responses/{item['responses'][0]['id']}", body)
