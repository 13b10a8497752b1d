"""Acceptance and disputes, measured on what the real Argilla says about suggestions, responses and their times."""

import yaml
from typer.testing import CliRunner

from spanloop.annotations.acceptance import acceptance
from spanloop.annotations.resolve import resolve
from spanloop.argilla import Scored, pull, write_suggestions
from spanloop.cli import app, register
from spanloop.config import AnnotationConfig
from spanloop.records import ScoredSpan, Span, Suggestion
from spanloop.rehearsal.annotator import SimulatedAnnotator, simulated_annotators

TEXTS = {f"r{i}": f"\U0001f600 Anna saw Paris on day {i}" for i in range(4)}
ANNA, PARIS = Span(2, 6, "person"), Span(11, 16, "place")
GOLD = dict.fromkeys(TEXTS, (ANNA, PARIS))


def suggest(client, dataset, names, spans, model):
    found = Suggestion(tuple(ScoredSpan(s.start, s.end, s.label, 0.9) for s in spans), model)
    return write_suggestions(client, dataset, [Scored(name, found, 0.5, 0.1) for name in names])


def measured(client, dataset):
    records = list(pull(client, dataset))
    return acceptance(records, resolve(records, AnnotationConfig()).annotations)


def test_only_what_was_suggested_before_the_response_counts(client, loop, fill):
    dataset = fill(TEXTS)
    (user,) = simulated_annotators(client, dataset, 1)
    someone = SimulatedAnnotator(user, dataset, GOLD)
    assert measured(client, dataset).versions == ()

    suggest(client, dataset, ["r0"], [ANNA, PARIS], "m0001-aaaaaaaa")
    suggest(client, dataset, ["r1"], [ANNA, Span(7, 10, "place")], "m0001-aaaaaaaa")
    someone.annotate(4)  # r2 and r3 are submitted without a suggestion
    late = suggest(client, dataset, ["r2"], [ANNA], "m0002-bbbbbbbb")

    assert late.answered == 1  # a submitted record gets none, so nothing can flatter the figures
    found = measured(client, dataset)
    assert (found.n_records, found.n_later) == (2, 0)
    (version,) = found.versions
    assert (version.n_suggested, version.n_submitted, version.n_kept, version.n_unchanged) == (4, 4, 3, 1)


def test_a_suggestion_that_another_tool_wrote_later_is_told_apart(client, loop, fill):
    """Argilla itself lets anybody write a suggestion onto a submitted record; it says nothing about acceptance."""
    dataset = fill(TEXTS)
    (user,) = simulated_annotators(client, dataset, 1)
    SimulatedAnnotator(user, dataset, GOLD).annotate(1)
    (record,) = (r for r in pull(client, dataset) if r.submitted)
    question = next(q for q in client.get(f"datasets/{dataset.id}/questions")["items"] if q["name"] == dataset.question)
    body = {"question_id": question["id"], "value": [], "agent": "other-tool"}
    client.put(f"records/{record.server_id}/suggestions", body)
    found = measured(client, dataset)
    assert (found.versions, found.n_later) == ((), 1)


def test_spanloop_agreement_names_the_disputed_record(client, loop, fill, tmp_path, monkeypatch, argilla_server):
    loop.task.min_submitted = 2
    dataset = fill(TEXTS)
    first, second = simulated_annotators(client, dataset, 2)
    SimulatedAnnotator(first, dataset, GOLD).annotate(4)
    SimulatedAnnotator(second, dataset, {**GOLD, "r2": (ANNA, Span(11, 16, "person"))}).annotate(4)

    tree = {"argilla": loop.argilla.model_dump(), "task": loop.task.model_dump()}
    (tmp_path / "spanloop.yaml").write_text(yaml.safe_dump(tree))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "140")
    monkeypatch.setenv("ARGILLA_API_KEY", argilla_server.api_key)
    register()
    done = CliRunner().invoke(app, ["agreement"])
    assert done.exit_code == 0, done.output
    assert "4 records by two or more of 2 annotators, pairwise F1 87.5" in done.output
    rows = [line for line in done.output.splitlines() if "'Paris'" in line]
    assert len(rows) == 2
    assert "r2" in rows[0]
    assert sum("simulated-annotator-1" in row for row in rows) == 1
    assert sum("simulated-annotator-2" in row for row in rows) == 1
