"""Does a span's score mean what it says? Of the spans suggested at 0.8, about 80 % should be right."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spanloop.errors import DataError
from spanloop.evaluation.counts import Predictions
from spanloop.records import Example, ScoredSpan, Span

BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """The predicted spans whose score lies in one interval.

    Attributes:
        low: Lower end of the scores, included.
        high: Upper end, excluded except for 1.
        n: Spans in it.
        score: Their mean score.
        correct: The share of them that is exactly right.
    """

    low: float
    high: float
    n: int
    score: float
    correct: float


def reliability(examples: Sequence[Example], predictions: Predictions, *, bins: int = BINS) -> list[Bin]:
    """Set the scores of predicted spans against how often they are right.

    Args:
        examples: Records with gold spans.
        predictions: Spans by record id; those without a score are left out.
        bins: Intervals of equal width over 0..1.

    Returns:
        The bins that hold a span, in order; none where no span has a score.

    Raises:
        DataError: A score is no probability.
    """
    scored = [(s.score, s.span in gold) for gold, spans in _with_gold(examples, predictions) for s in spans]
    if not scored:
        return []
    scores, hits = np.array(scored, dtype=np.float64).T
    if not ((scores >= 0) & (scores <= 1)).all():
        raise DataError(f"span score {scores[~((scores >= 0) & (scores <= 1))][0]} is no probability in 0..1")
    place = np.minimum((scores * bins).astype(np.int64), bins - 1)
    table = []
    for i in np.unique(place):
        inside = place == i
        mean, share = float(scores[inside].mean()), float(hits[inside].mean())
        table.append(Bin(float(i) / bins, float(i + 1) / bins, int(inside.sum()), mean, share))
    return table


def calibration_error(table: Sequence[Bin]) -> float | None:
    """Expected calibration error (Naeini et al., 2015; Guo et al., 2017).

    Args:
        table: What `reliability` returned.

    Returns:
        Mean distance of score and share of right spans over the bins, weighted by spans; None without any.
    """
    n = sum(b.n for b in table)
    return sum(b.n * abs(b.score - b.correct) for b in table) / n if n else None


def _with_gold(examples: Sequence[Example], predictions: Predictions) -> list[tuple[set[Span], list[ScoredSpan]]]:
    return [(set(x.spans), [s for s in predictions[x.id] if isinstance(s, ScoredSpan)]) for x in examples]
