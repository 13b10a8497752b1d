"""A round in words: what a person reads after it."""

from rounds import a_round

from spanloop.annotations.acceptance import Acceptance, VersionAcceptance
from spanloop.argilla.writing import WriteReport
from spanloop.evaluation import evaluate
from spanloop.records import Example, Span
from spanloop.reports.summary import score_rows, summary_markdown, summary_rows
from spanloop.rounds.figures import EvaluateFigures
from spanloop.rounds.report import RoundReport, idle_report
from spanloop.spans import LostSpan

EXAMPLES = [Example(str(i), "Anna met Tom", (Span(0, 4, "person"), Span(9, 12, "person"))) for i in range(4)]
SCORES = evaluate(EXAMPLES, {e.id: [e.spans[0]] for e in EXAMPLES}, ["person", "a|b"])
SUGGESTED = (
    VersionAcceptance("m0001-a", 3, 1, n_suggested=8, n_submitted=10, n_kept=6, precision=0.75, recall=0.6, f1=2 / 3),
    VersionAcceptance("m0002-b", 3, 1, n_suggested=2, n_submitted=10, n_kept=2, precision=1.0, recall=0.2, f1=1 / 3),
)

REPORT = a_round(
    "r0002",
    "promoted",
    reason="better",
    champion="m0002-bbbbbbbb",
    queue_link="http://127.0.0.1:6900/dataset/1/annotation-mode?sort=metadata.priority.desc",
    pull={"seconds": 1.25},
    annotations={
        "lost": tuple(LostSpan(f"doc/{i}", Span(0, 1, "person"), "overlap") for i in range(7)),
        "acceptance_since": Acceptance(SUGGESTED, 6),
    },
    snapshot={"version": "v0002-aaaaaaaa", "ready": True, "counts": {"train": 20, "validation": 4, "test": 6}},
    train={"champion": "m0001-aaaaaaaa", "challenger": "m0002-bbbbbbbb", "seconds": 60.0},
    evaluate={"champion": SCORES, "challenger": SCORES},
    score={"scored": 70},
    log={"written": WriteReport(suggested=70)},
)


def test_the_summary_names_every_figure_with_its_size():
    rows = dict(summary_rows(REPORT))
    assert rows["outcome"] == "promoted: better"
    assert rows["records"] == "100 (30 submitted, 70 pending)"
    assert rows["snapshot"] == "v0002-aaaaaaaa (train 20, validation 4, test 6)"
    assert rows["champion before"].startswith("m0001-aaaaaaaa: F1 66.7 (66.7 to 66.7) on 4 records with 8 spans")
    assert rows["acceptance"] == "8 of 10 suggested spans kept, F1 53.3 over 6 records since"
    assert rows["suggestions"] == "70 records scored, suggested 70"
    assert rows["lost spans"].startswith("7 in doc/0 (overlap), doc/1 (overlap)")
    assert rows["lost spans"].endswith("and 2 more, see round.json")


def test_acceptance_adds_up_over_versions():
    accepted = REPORT.accepted
    assert accepted is not None
    assert (accepted.n_kept, accepted.n_suggested, accepted.n_submitted) == (8, 10, 20)
    assert (accepted.precision, accepted.recall) == (0.8, 0.4)


def test_nothing_suggested_is_no_acceptance():
    assert a_round().accepted is None


def test_the_markdown_has_the_link_and_a_table_per_model():
    text = summary_markdown(REPORT)
    assert text.startswith("# r0002: promoted")
    assert f"({REPORT.queue_link})" in text
    assert text.count("| label | precision | recall | F1 | spans |") == 2


def test_a_round_without_news_is_two_lines():
    reason = "nothing new since r0002: 30 records are annotated"
    report = idle_report(REPORT, reason, "http://x", "2026-11-21T00:00:00Z")
    assert summary_rows(report) == [
        ("outcome", reason),
        ("in service", "m0002-bbbbbbbb"),
    ]
    assert "http://x" in summary_markdown(report)


def test_the_table_of_scores_has_a_row_for_each_label_and_model():
    rows = score_rows(EvaluateFigures(champion=SCORES, challenger=SCORES))
    assert [(row["model"], row["label"]) for row in rows] == [
        (model, label) for model in ("champion", "challenger") for label in ("person", "a|b", "all")
    ]
    assert rows[0] == {
        "model": "champion",
        "label": "person",
        "precision": 100.0,
        "recall": 50.0,
        "f1": 66.7,
        "spans": 8,
    }


def test_a_report_comes_back_from_its_file():
    assert RoundReport.model_validate_json(REPORT.model_dump_json()) == REPORT
