"""The gate: better models go into service, worse and equal ones do not."""

import pytest

from spanloop.config import GateConfig
from spanloop.errors import DataError
from spanloop.evaluation.gate import decide
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
    assert decision.reason.startswith("better in 100 % of the resamples, 50 % needed: F1 40.0 -> 85.7 (+45.7, 95 %")
    assert decision.reason.endswith("on 40 test records with 40 spans")


def test_a_worse_challenger_stays_out():
    decision = decide(EXAMPLES, right_on(30), right_on(10), GATE)
    assert not decision.promote
    assert decision.reason.startswith("worse, the champion stays: F1 85.7 -> 40.0")


@pytest.mark.parametrize("threshold", [0.0, 0.5])
@pytest.mark.parametrize("right", [0, 20, 40])
def test_an_equal_challenger_stays_out(threshold, right):
    decision = decide(EXAMPLES, right_on(right), right_on(right), GateConfig(min_probability=threshold))
    assert not decision.promote
    assert decision.reason.startswith("equal, the champion stays")


def test_a_small_gain_passes_a_mild_gate_and_not_a_strict_one():
    """One record of forty more: better in about 63 % of the resamples, tied in the others."""
    assert decide(EXAMPLES, right_on(20), right_on(21), GATE).promote
    strict = decide(EXAMPLES, right_on(20), right_on(21), GateConfig(min_probability=0.95))
    assert not strict.promote
    assert "95 % needed, the champion stays" in strict.reason


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
    assert decide(EXAMPLES, right_on(0), right_on(3), GATE).promote


def test_a_missing_prediction_is_an_error_and_no_verdict():
    with pytest.raises(DataError, match="'5' has no prediction"):
        decide(EXAMPLES, None, {str(i): [] for i in range(5)}, GATE)


def test_the_verdict_is_the_same_each_time():
    assert decide(EXAMPLES, right_on(20), right_on(21), GATE) == decide(EXAMPLES, right_on(20), right_on(21), GATE)
