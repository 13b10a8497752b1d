"""When to stop, in words."""

import pytest
from rounds import a_round

from spanloop.annotations.acceptance import Acceptance, VersionAcceptance
from spanloop.annotations.effort import Effort
from spanloop.evaluation.forecast import Gain
from spanloop.evaluation.stability import Stability
from spanloop.reports.advice import advice, outlook_rows
from spanloop.reports.summary import summary_markdown, summary_rows
from spanloop.rounds.report import RoundReport, idle_report

EFFORT = Effort(180, 3, 45.0, 1.9, 55.8, 1.0, "")
OUTLOOK = {
    "models": [
        {"model": "m0001-a", "records": 90, "words": 1812, "f1": 0.601},
        {"model": "m0002-b", "records": 180, "words": 3700, "f1": 0.655},
        {"model": "m0003-c", "records": 1270, "words": None, "f1": 0.671},
    ],
    "curve": [{"annotated": 120, "low": 0.58, "f1": 0.6, "high": 0.62}],
    "next_batch": {"records": 200, "gain": Gain(0.006, 0.001, 0.012)},
    "doubled": {"records": 400, "gain": Gain(0.021, 0.004, 0.04)},
    "stability": Stability(375, (0.81, 0.9), 0.444, stable=False),
    "effort": EFFORT,
}


def kept(n, of):
    precision = n / of
    return {"acceptance_since": Acceptance((VersionAcceptance("m", 9, 3, of, of, n, precision, 1.0, 0.9),), 9)}


def report(pending=5000, accepted=(91, 100), **outlook) -> RoundReport:
    return a_round(pull={"pending": pending}, annotations=kept(*accepted), outlook=OUTLOOK | outlook)


def test_one_plain_sentence():
    assert advice(report()) == (
        "200 more records (about 3.1 hours) should bring +0.6 F1 (0.1 to 1.2); "
        "annotators keep 91 % of what is suggested"
    )


def test_the_figures_behind_it():
    rows = dict(outlook_rows(report()))
    assert rows["when to stop"] == advice(report())
    assert rows["twice the labels"] == (
        "400 more records (about 6.2 hours): +2.1 F1 (0.4 to 4.0); such an interval holds what comes in 80 of 100 cases"
    )
    assert rows["past models"].startswith(
        "F1 on this test split: 60.1 with 90 records, 1,812 words; 65.5 with 180 records, 3,700 words; 67.1 with 1,270"
    )
    assert rows["models agree"] == (
        "each with the one before on 81, 90 % of spans, in 375 held-out texts: F1 of the last two differs by 44 at "
        "most; stable from 99 % over 3 pairs"
    )
    assert rows["cost"] == "45 s a record, 1.9 s a word (medians of 180 responses by 3 annotators)"


def test_they_are_in_the_terminal_and_in_the_artifact():
    assert set(outlook_rows(report())) <= set(summary_rows(report()))
    told = summary_markdown(report())
    assert f"\n\n**{advice(report())}**\n\n- twice the labels: 400 more" in told
    assert "| when to stop |" not in told


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"next_batch": {"records": 125}, "missing": "a forecast needs 3 models, and there is 1"},
            "what 125 more records (about 1.9 hours) bring is not known yet, a forecast needs 3 models, and",
        ),
        (
            {"effort": Effort(reason="2 responses have a plausible time, 10 needed")},
            "200 more records should bring +0.6 F1 (0.1 to 1.2); hours are not known, 2 responses have",
        ),
        ({"effort": Effort(20, 1, 1.5, 0.1, 3.0, 1.0, "")}, "200 more records (about 10 minutes) should bring"),
        ({"effort": Effort(20, 1, 300.0, 9, 300.0, 2.0, "")}, "200 more records (about 33 hours) should bring"),
        ({"next_batch": {"records": 200, "gain": Gain(0.001, -0.014, 0.02)}}, "should bring +0.1 F1 (-1.4 to 2.0)"),
        ({"pending": 0}, "no record is left to annotate; "),
        ({"accepted": (3, 4)}, "; annotators kept 3 of the first 4 suggested spans"),
    ],
)
def test_what_is_missing_is_said(changed, said):
    assert said in advice(report(**changed))


def test_nothing_suggested_yet():
    assert advice(a_round(outlook=OUTLOOK)).endswith("; no suggestion has been answered yet")


def test_more_than_the_pool_has():
    rows = dict(outlook_rows(report(pending=300)))
    assert rows["twice the labels"].startswith(
        "400 more records (about 6.2 hours): +2.1 F1 (0.4 to 4.0); only 300 are left"
    )


def test_stable_predictions_and_a_bound_that_says_nothing():
    stable = dict(outlook_rows(report(stability=Stability(500, (0.99, 0.99, 1.0), 0.0, stable=True))))
    assert stable["models agree"].endswith("F1 of the last two differs by 0 at most; predictions are stable")
    loose = dict(outlook_rows(report(stability=Stability(500, (0.4,), 1.0, stable=False))))
    assert "no bound on F1 yet" in loose["models agree"]


def test_a_round_of_before_has_no_outlook():
    old = a_round().model_dump(mode="json")
    del old["figures"]["outlook"]
    read = RoundReport.model_validate(old)
    assert advice(read) == ""
    assert outlook_rows(read) == []
    assert outlook_rows(idle_report(read, "nothing new", "http://q", "2026-11-27T00:00:00Z")) == []
