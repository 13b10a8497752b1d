"""The gate: better models go into service, worse and equal ones do not."""

import re

import numpy as np
import pytest

from spanloop.config import GateConfig
from spanloop.errors import DataError
from spanloop.evaluation.bootstrap import compared, resampled
from spanloop.evaluation.gate import decide, passes
from spanloop.records import Example, Span

GATE = GateConfig()
EXAMPLES = [Example(str(i), "ab", (Span(0, 1, "x"),)) for i in range(40)]


def right_on(n):
    return {str(i): [Span(0, 1, "x")] if i < n else [] for i in range(40)}


def test_a_better_challenger_is_promoted_with_the_figures():
    decision = decide(EXAMPLES, right_on(10), right_on(30), GATE)
    assert decision.promote
    assert decision.champion_f1 == pytest.approx(0.4)
    assert decision.challenger_f1 == pytest.approx(60 / 70)
    assert decision.reason.startswith(
        "better, 0.3 % risk that it is 2 points worse, 3 % allowed: F1 40.0 -> 85.7 (+45.7, 95 %"
    )
    assert decision.reason.endswith("on 40 test records with 40 spans")


def test_a_worse_challenger_stays_out():
    decision = decide(EXAMPLES, right_on(30), right_on(10), GATE)
    assert not decision.promote
    assert decision.reason.startswith("worse, the champion stays: F1 85.7 -> 40.0")


@pytest.mark.parametrize("max_risk", [0.05, 0.5, 0.999])
@pytest.mark.parametrize("right", [0, 20, 40])
def test_an_equal_challenger_stays_out(max_risk, right):
    decision = decide(EXAMPLES, right_on(right), right_on(right), GateConfig(max_risk=max_risk))
    assert not decision.promote
    assert decision.reason.startswith("equal, the champion stays")


def shifted(by, start=0, n=20):
    """Right on n of the forty records from `start + by` on: as good as any other, on other records."""
    return {str(i): [Span(0, 1, "x")] if start + by <= i < start + by + n else [] for i in range(40)}


def test_a_gain_within_the_noise_stays_out():
    """One record more, but other records: the true difference may be anything between -13 and +15 points."""
    decision = decide(EXAMPLES, shifted(0), shifted(8, n=21), GATE)
    assert decision.paired is not None
    assert decision.paired.delta_f1 > 0
    assert not decision.promote
    assert re.match(
        r"better, but 3\d\.\d % risk that it is 2 points worse, 3 % allowed, the champion stays:", decision.reason
    )


def test_margin_and_risk_are_the_users():
    few, more = shifted(0), shifted(8, n=21)
    assert decide(EXAMPLES, few, more, GateConfig(max_risk=0.5)).promote
    assert decide(EXAMPLES, few, more, GateConfig(margin=0.3)).promote
    assert not decide(EXAMPLES, few, more, GateConfig(margin=0.0)).promote


def test_the_same_gain_on_two_documents_is_no_proof():
    """Twenty records better, all in one document of two: the next document may be as the other."""
    grouped = [Example(e.id, e.text, e.spans, f"doc {i // 20}") for i, e in enumerate(EXAMPLES)]
    assert decide(EXAMPLES, right_on(0), right_on(20), GATE).promote
    decision = decide(grouped, right_on(0), right_on(20), GATE)
    assert not decision.promote
    assert decision.reason.endswith("on 40 test records of 2 documents with 40 spans")


def test_a_single_record_proves_nothing():
    """The others, of which both models say the same, do not show how far the difference may go."""
    decision = decide(EXAMPLES, right_on(20), right_on(21), GATE)
    assert not decision.promote
    assert decision.reason.startswith("better, but 1")
    assert decide(EXAMPLES, right_on(20), right_on(24), GATE).promote


@pytest.mark.parametrize("records", [20, 100])
def test_a_model_two_points_worse_is_promoted_in_one_of_twenty_trials(records):
    """Two independent models that find 0.7 and 0.672 of the spans: F1 82.4 and 80.4."""
    rng, promoted = np.random.default_rng(records), 0
    for trial in range(300):
        found = rng.binomial(3, np.tile([0.7, 0.672], (records, 1)))
        counts = np.stack([found, found, np.full_like(found, 3)], axis=-1).reshape(records, 6)
        drawn = resampled(counts, 1000, np.random.default_rng(trial))
        promoted += passes(compared(counts, drawn, GATE.margin, records), GATE)
    assert promoted / 300 <= 0.08  # 5 % and twice the noise of 300 trials


def test_the_first_model_that_finds_anything_is_promoted():
    decision = decide(EXAMPLES, None, right_on(3), GATE)
    assert decision.promote
    assert (decision.champion_f1, decision.paired) == (None, None)
    assert decision.reason == "first model: F1 14.0 on 40 test records with 40 spans"


def test_the_first_model_that_finds_nothing_is_not():
    decision = decide(EXAMPLES, None, right_on(0), GATE)
    assert not decision.promote
    assert decision.reason == "no champion yet, and the challenger finds none of 40 spans in 40 test records"


@pytest.mark.parametrize("champion", [None, right_on(5)])
def test_too_few_test_records_judge_nobody(champion):
    decision = decide(EXAMPLES[:3], champion, right_on(40), GATE, min_test=5)
    assert not decision.promote
    assert decision.reason == "the test split has 3 records, 5 needed"
    assert not decide([], champion, {}, GATE).promote


def test_test_records_without_spans_judge_nobody():
    decision = decide([Example("0", "ab", ())], right_on(5), right_on(40), GATE)
    assert not decision.promote
    assert decision.reason == "no span is marked in the 1 test records, so no model can be judged"


def test_a_champion_that_finds_nothing_is_replaced():
    assert decide(EXAMPLES, right_on(0), right_on(5), GATE).promote


def test_a_missing_prediction_is_an_error_and_no_verdict():
    with pytest.raises(DataError, match="'5' has no prediction"):
        decide(EXAMPLES, None, {str(i): [] for i in range(5)}, GATE)


def test_the_verdict_is_the_same_each_time():
    assert decide(EXAMPLES, right_on(20), right_on(21), GATE) == decide(EXAMPLES, right_on(20), right_on(21), GATE)
