"""Bootstrap over records: how far a test F1, or a difference of two, could move with another test sample.

F1 is a function of three sums over records, so a resample needs only how often each record was drawn. Records with
equal counts are interchangeable: the draw is one multinomial over the distinct rows of counts, which is the same
distribution and makes 1,000 samples of 10,000 records a matter of milliseconds, whatever the order of the records.
Percentile intervals (Efron, 1979); paired test after Koehn (2004) and Berg-Kirkpatrick et al. (2012).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spanloop.evaluation.counts import FloatArray, IntArray, Predictions, f1_of, record_counts
from spanloop.records import Example

LEVEL = 0.95
_CELLS = 4_000_000  # draws held in memory at once


@dataclass(frozen=True, slots=True)
class Paired:
    """Two models on the same records.

    Attributes:
        delta_f1: F1 of b minus F1 of a.
        low: Lower end of the 95 % interval of the difference.
        high: Upper end.
        probability: Share of the resamples in which b has the strictly higher F1; 0.0 for equal models.
        n_records: Records both were judged on.
        samples: Resamples drawn.
    """

    delta_f1: float
    low: float
    high: float
    probability: float
    n_records: int
    samples: int


def interval(counts: IntArray, *, samples: int = 1000, seed: int = 0) -> tuple[float, float]:
    """95 % percentile interval of micro F1.

    Args:
        counts: Shape (records, 3), from `record_counts`.
        samples: Resamples of the records.
        seed: Seed of the resampling.

    Returns:
        Lower and upper end. With very few records it is too narrow; read it beside their number.
    """
    return _ends(f1_of(resampled(counts, samples, np.random.default_rng(seed))))


def paired_bootstrap(
    examples: Sequence[Example], a: Predictions, b: Predictions, *, samples: int = 1000, seed: int = 0
) -> Paired:
    """Compare two models on the same resamples of the same records.

    Args:
        examples: Records with gold spans.
        a: Spans by record id of the first model.
        b: Spans by record id of the second model.
        samples: Resamples of the records.
        seed: Seed of the resampling.

    Returns:
        The difference of F1 (b minus a), its 95 % interval, and how often b is better.

    Raises:
        DataError: See `spanloop.evaluation.counts.checked`.
    """
    counts = np.concatenate([record_counts(examples, a), record_counts(examples, b)], axis=1)
    drawn = resampled(counts, samples, np.random.default_rng(seed))
    whole = counts.sum(axis=0)
    deltas = f1_of(drawn[:, 3:]) - f1_of(drawn[:, :3])
    low, high = _ends(deltas)
    return Paired(
        delta_f1=float(f1_of(whole[3:]) - f1_of(whole[:3])),
        low=low,
        high=high,
        probability=float((deltas > 0).mean()),
        n_records=len(examples),
        samples=samples,
    )


def resampled(counts: IntArray, samples: int, rng: np.random.Generator) -> IntArray:
    """Sum the counts of records drawn with replacement, many times.

    Args:
        counts: Shape (records, columns).
        samples: How many times to draw as many records as there are.
        rng: Source of the draws.

    Returns:
        Shape (samples, columns): the sums.
    """
    rows, times = np.unique(counts, axis=0, return_counts=True)
    chunk = max(1, _CELLS // len(rows))
    sizes = [min(chunk, samples - done) for done in range(0, samples, chunk)]
    shares = times / times.sum()
    return np.concatenate([rng.multinomial(len(counts), shares, size=size) @ rows for size in sizes])


def _ends(values: FloatArray) -> tuple[float, float]:
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)
