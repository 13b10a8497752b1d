"""The mistakes of simulated annotators: of the kinds that people make, at the given rate, the same for a seed."""

from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from spanloop.records import Record, ScoredSpan, Span, Suggestion
from spanloop.rehearsal.mistakes import Habits, anchored, with_mistakes

TEXT = "Anna Maria Lee went to Rome and then to New York"
SPANS = (Span(0, 14, "person"), Span(23, 27, "place"), Span(40, 48, "place"))
LABELS = ["person", "place"]


def test_no_mistakes_at_rate_zero() -> None:
    assert with_mistakes(SPANS, TEXT, LABELS, 0.0, Random(0)) == SPANS


def test_every_span_is_wrong_at_rate_one() -> None:
    for seed in range(50):
        assert not set(with_mistakes(SPANS, TEXT, LABELS, 1.0, Random(seed))) & set(SPANS)


def test_the_rate_is_kept_and_the_seed_repeats() -> None:
    right = sum(len(set(with_mistakes(SPANS, TEXT, LABELS, 0.2, Random(seed))) & set(SPANS)) for seed in range(400))
    assert 0.75 < right / (400 * len(SPANS)) < 0.85
    assert with_mistakes(SPANS, TEXT, LABELS, 0.5, Random(7)) == with_mistakes(SPANS, TEXT, LABELS, 0.5, Random(7))


@given(st.integers())
def test_answers_are_spans_that_argilla_takes(seed: int) -> None:
    answers = with_mistakes(SPANS, TEXT, LABELS, 0.7, Random(seed))
    assert all(0 <= a.start < a.end <= len(TEXT) and a.label in LABELS for a in answers)
    assert all(one.end <= other.start for one, other in pairwise(answers))
    assert all(TEXT[a.start : a.end].strip() == TEXT[a.start : a.end] for a in answers)


RIGHT, OFF, FALSE = SPANS[0], Span(23, 39, "place"), Span(15, 19, "person")
SUGGESTED = (RIGHT, OFF, FALSE)  # right, an end off, false; nothing about New York


def suggested(*spans: Span) -> Record:
    scored = tuple(ScoredSpan(s.start, s.end, s.label, 0.9) for s in spans)
    return Record("r1", TEXT, "r1", suggestion=Suggestion(scored, "m0001-aa"))


def test_who_does_not_lean_answers_as_ever_and_who_leans_altogether_answers_what_is_suggested() -> None:
    for seed in range(20):
        assert anchored(SPANS, SUGGESTED, 0.0, Random(seed)) == SPANS
        assert anchored(SPANS, SUGGESTED, 1.0, Random(seed)) == tuple(sorted(SUGGESTED))
        assert anchored(SPANS, (), 1.0, Random(seed)) == ()


def test_wrong_suggestions_stay_and_others_are_overlooked_at_the_given_rate() -> None:
    answers = [anchored(SPANS, SUGGESTED, 0.2, Random(seed)) for seed in range(2000)]
    shares = {span: sum(span in answer for answer in answers) / len(answers) for span in {*SPANS, *SUGGESTED}}
    assert shares[RIGHT] == 1.0
    for wrong in (OFF, FALSE):
        assert abs(shares[wrong] - 0.2) < 0.04
    assert shares[SPANS[1]] == 1 - shares[OFF]  # corrected wherever the wrong one is not kept
    assert abs(shares[SPANS[2]] - 0.8) < 0.04


def test_only_a_suggestion_can_be_leant_to() -> None:
    leaning = Habits(anchoring=1.0)
    assert leaning.answer("ann", Record("r1", TEXT, "r1"), SPANS, LABELS) == SPANS
    assert leaning.answer("ann", suggested(), SPANS, LABELS) == ()
    assert leaning.answer("ann", suggested(*SUGGESTED), SPANS, LABELS) == tuple(sorted(SUGGESTED))


def test_habits_repeat_by_seed_and_leaning_changes_no_other_mistake() -> None:
    habits = Habits(error_rate=0.5, anchoring=0.5, seed=3)
    assert habits.answer("ann", suggested(OFF), SPANS, LABELS) == habits.answer("ann", suggested(OFF), SPANS, LABELS)
    answers = {Habits(anchoring=0.5, seed=seed).answer("ann", suggested(OFF), SPANS, LABELS) for seed in range(30)}
    assert len(answers) > 2
    plain = Habits(error_rate=0.5).answer("ann", suggested(*SPANS), SPANS, LABELS)
    assert plain == with_mistakes(SPANS, TEXT, LABELS, 0.5, Random("0/ann/r1"))


@given(st.integers(), st.sets(st.sampled_from([*SPANS, OFF, FALSE, Span(20, 27, "place"), Span(44, 48, "person")])))
def test_answers_overlap_only_where_suggestions_do(seed: int, shown: set[Span]) -> None:
    disjoint = [s for s in sorted(shown) if not any(s.start < x.end and x.start < s.end for x in shown - {s})]
    answers = anchored(SPANS, disjoint, 0.5, Random(seed))
    assert all(one.end <= other.start for one, other in pairwise(answers))
