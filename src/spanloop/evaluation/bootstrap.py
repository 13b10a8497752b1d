"""Bootstrap over documents: how far a test F1, or a difference of two, could move with another test sample.

Records of one document are alike, so whole groups are drawn (the cluster bootstrap: Field and Welsh, "Bootstrapping
clustered data", J. R. Stat. Soc. B 69, 2007); where every record is its own group these are the records. Percentile
intervals (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13), widened for few groups as
`spanloop.evaluation.student` says; paired comparison after Koehn (2004) and Berg-Kirkpatrick et al. (2012).

F1 is a function of three sums over groups, so a resample needs only how often each group was drawn. Groups with equal
counts are interchangeable: the draw is one multinomial over the distinct rows of counts, which is the same distribution
and makes 1,000 samples of 10,000 records a matter of milliseconds, whatever the order of the records.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spanloop.evaluation.counts import FloatArray, IntArray, Predictions, f1_of, record_counts
from spanloop.evaluation.student import chance_of, share_of
from spanloop.records import Example

LEVEL = 0.95
CELLS = 4_000_000  # draws held in memory at once


@dataclass(frozen=True, slots=True)
class Paired:
    """Two models on the same records.

    Attributes:
        delta_f1: F1 of b minus F1 of a.
        low: Lower end of the 95 % interval of the difference.
        high: Upper end.
        risk: Share of the resamples in which F1 of b is below that of a by `margin` or more, corrected for few groups:
            the p value of the hypothesis that it truly is. 1.0 where hardly a group tells them apart.
        margin: In F1, 0..1.
        n_records: Records both were judged on.
        n_groups: Groups that these records belong to.
        samples: Resamples drawn.
    """

    delta_f1: float
    low: float
    high: float
    risk: float
    margin: float
    n_records: int
    n_groups: int
    samples: int


def group_counts(examples: Sequence[Example], counts: IntArray) -> IntArray:
    """Sum rows of counts by the group of their records.

    Args:
        examples: The records; one without a group is its own.
        counts: Shape (records, columns).

    Returns:
        Shape (groups, columns), in the order in which the groups come.
    """
    place: dict[tuple[str, str], int] = {}
    rows = [place.setdefault((x.group, "" if x.group else x.id), len(place)) for x in examples]
    summed = np.zeros((len(place), counts.shape[1]), dtype=np.int64)
    np.add.at(summed, rows, counts)
    return summed


def interval(counts: IntArray, *, samples: int = 1000, seed: int = 0) -> tuple[float, float]:
    """95 % interval of micro F1.

    Args:
        counts: Shape (groups, 3), from `group_counts`.
        samples: Resamples of the groups.
        seed: Seed of the resampling.

    Returns:
        Lower and upper end; 0 and 1 for a single group, which says nothing about others.
    """
    if len(counts) < 2:
        return 0.0, 1.0
    return _ends(f1_of(resampled(counts, samples, np.random.default_rng(seed))), len(counts))


def paired_bootstrap(
    examples: Sequence[Example],
    a: Predictions,
    b: Predictions,
    *,
    margin: float = 0.0,
    samples: int = 1000,
    seed: int = 0,
) -> Paired:
    """Compare two models on the same resamples of the same groups.

    Args:
        examples: Records with gold spans.
        a: Spans by record id of the first model.
        b: Spans by record id of the second model.
        margin: By how much b would have to be worse to count as a mistake, in F1, 0..1.
        samples: Resamples of the groups.
        seed: Seed of the resampling.

    Returns:
        The difference of F1 (b minus a), its 95 % interval, and the risk that b is worse.

    Raises:
        DataError: See `spanloop.evaluation.counts.checked`.
    """
    counts = np.concatenate([record_counts(examples, a), record_counts(examples, b)], axis=1)
    groups = group_counts(examples, counts)
    drawn = resampled(groups, samples, np.random.default_rng(seed))
    return compared(groups, drawn, margin, len(examples))


def compared(groups: IntArray, drawn: IntArray, margin: float, n_records: int) -> Paired:
    """Compare two models by their counts, as they are and in resamples.

    Args:
        groups: Shape (groups, 6): correct, predicted, gold of a, then of b.
        drawn: Shape (samples, 6): their sums in each resample.
        margin: See `paired_bootstrap`.
        n_records: Records behind the counts.

    Returns:
        The comparison; with a single group the difference may be anything.
    """
    deltas, whole, n_groups = f1_of(drawn[:, 3:]) - f1_of(drawn[:, :3]), groups.sum(axis=0), len(groups)
    low, high = _ends(deltas, n_groups) if n_groups > 1 else (-1.0, 1.0)
    telling = telling_groups(groups[:, :3], groups[:, 3:])
    below = int((deltas <= -margin).sum())
    risk = chance_of((below + 1) / (len(deltas) + 2), telling) if telling > 1 else 1.0
    delta = float(f1_of(whole[3:]) - f1_of(whole[:3]))
    return Paired(delta, low, high, risk, margin, n_records, n_groups, len(deltas))


def telling_groups(a: IntArray, b: IntArray) -> int:
    """The number of groups by which the risk is corrected for few groups.

    Groups of which both models say the same tell nothing about how far their difference may go. The others count, and
    one more, without which few records would hardly ever promote a better model.

    Args:
        a: Shape (groups, 3): the counts of one model.
        b: Those of the other.
    """
    return min(int((a != b).any(axis=1).sum()) + 1, len(a))


def resampled(counts: IntArray, samples: int, rng: np.random.Generator) -> IntArray:
    """Sum the counts of groups drawn with replacement, many times.

    Args:
        counts: Shape (groups, columns).
        samples: How many times to draw as many groups as there are.
        rng: Source of the draws.

    Returns:
        Shape (samples, columns): the sums.
    """
    rows, times = np.unique(counts, axis=0, return_counts=True)
    chunk = max(1, CELLS // len(rows))
    sizes = [min(chunk, samples - done) for done in range(0, samples, chunk)]
    shares = times / times.sum()
    return np.concatenate([rng.multinomial(len(counts), shares, size=size) @ rows for size in sizes])


def _ends(values: FloatArray, n_groups: int) -> tuple[float, float]:
    tail = share_of((1 - LEVEL) / 2, n_groups)
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)
