"""A round in words: what a person reads after it."""

from spanloop.evaluation import evaluate
from spanloop.records import Example, Span
from spanloop.reports.report import RoundInputs, RoundReport, idle_report
from spanloop.reports.summary import score_rows, summary_markdown, summary_rows

EXAMPLES = [Example(str(i), "Anna met Tom", (Span(0, 4, "person"), Span(9, 12, "person"))) for i in range(4)]
SCORES = evaluate(EXAMPLES, {e.id: [e.spans[0]] for e in EXAMPLES}, ["person", "a|b"]).to_dict()
ACCEPTED = {"model": "m0001-a", "n_records": 3, "n_unchanged": 1, "n_suggested": 8, "n_submitted": 10, "n_kept": 6}

REPORT = RoundReport(
    round="r0002",
    outcome="promoted",
    reason="better",
    records=100,
    submitted=30,
    pending=70,
    snapshot="v0002-aaaaaaaa",
    counts={"train": 20, "validation": 4, "test": 6},
    lost=[{"record_id": f"doc/{i}", "reason": "overlap"} for i in range(7)],
    acceptance_since={"versions": [ACCEPTED, {**ACCEPTED, "model": "m0002-b", "n_suggested": 2, "n_kept": 2}]},
    champion="m0002-bbbbbbbb",
    challenger="m0002-bbbbbbbb",
    champion_scores=SCORES,
    challenger_scores=SCORES,
    written={"suggested": 70, "unchanged": 0},
    scored=70,
    seconds={"pull": 1.25, "train": 60.0},
    queue_link="http://127.0.0.1:6900/dataset/1/annotation-mode?sort=metadata.priority.desc",
    inputs=RoundInputs(records=100, settings={}, training="t", champion="m0001-aaaaaaaa"),
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
    assert (accepted["n_kept"], accepted["n_suggested"], accepted["n_submitted"]) == (8, 10, 20)
    assert (accepted["precision"], accepted["recall"]) == (0.8, 0.4)


def test_nothing_suggested_is_no_acceptance():
    assert RoundReport(round="r0001", outcome="waiting", reason="").accepted is None


def test_the_markdown_has_the_link_and_a_table_per_model():
    text = summary_markdown(REPORT)
    assert text.startswith("# r0002: promoted")
    assert f"({REPORT.queue_link})" in text
    assert text.count("| label | precision | recall | F1 | spans |") == 2


def test_a_round_without_news_is_two_lines():
    last = {"round": "r0002", "champion": "m0002-bbbbbbbb", "snapshot": "v0002-aaaaaaaa"}
    report = idle_report(last, "nothing new since r0002: 30 records are annotated", "http://x", "2026-11-21T00:00:00Z")
    assert summary_rows(report) == [
        ("outcome", "nothing new since r0002: 30 records are annotated"),
        ("in service", "m0002-bbbbbbbb"),
    ]


def test_the_table_of_scores_has_a_row_for_each_label_and_model():
    rows = score_rows({"champion": SCORES, "challenger": SCORES})
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
