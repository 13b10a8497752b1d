"""The mistakes of simulated annotators: of the kinds that people make, at the given rate, the same for a seed."""

from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from spanloop.records import Span
from spanloop.rehearsal.mistakes import with_mistakes

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
