"""What counts beside informativeness: steps that each take the values of n records and return n new ones.

A step sees values in (0, 1], higher first, and returns such; steps are applied one after another, in any number. The
first are the strategy's values as ranks, because a difference of margins and one of entropies cannot be weighed alike.

    prioritise(pending, selection, splits, steps=[per_word(0.5), damp_groups(0.7)])

`spanloop.selection.queue` makes them from the configuration, where each is off unless asked for.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from spanloop.selection.minhash import near_duplicates, signatures
from spanloop.selection.pending import FloatArray, Pending

Step = Callable[[FloatArray, Sequence[Pending]], FloatArray]

_LETTERS_A_WORD = 6


def ranks(values: FloatArray) -> FloatArray:
    """Replace values by their rank over their number, in (0, 1]: measures of any scale become comparable.

    Equal values share the mean of their ranks.
    """
    if not len(values):
        return values
    _, place, times = np.unique(values, return_inverse=True, return_counts=True)
    mean: FloatArray = (np.cumsum(times) - (times - 1) / 2) / len(values)
    return mean[place]


def per_word(power: float) -> Step:
    """Prefer what costs less to read: divide by the number of words, to a power.

    Marking time grows with length; by value per word is the return on investment of Haertel et al. (2008) and the
    cost-sensitive selection of Tomanek and Hahn (2010).

    Args:
        power: 0 ignores length, 1 is value per word.

    Returns:
        The step.
    """

    def step(values: FloatArray, records: Sequence[Pending]) -> FloatArray:
        words = [r.statistics.n_words if r.statistics else len(r.text) // _LETTERS_A_WORD for r in records]
        cost: FloatArray = np.maximum(np.array(words, dtype=np.float64), 1.0) ** power
        return values / cost

    return step


def damp_groups(factor: float) -> Step:
    """Spread a batch over documents: the k-th best record of one document counts `factor` to the power of k - 1.

    Args:
        factor: 1 changes nothing; 0 serves one record of each document before the second of any.

    Returns:
        The step.
    """

    def step(values: FloatArray, records: Sequence[Pending]) -> FloatArray:
        known: dict[str, int] = {}
        groups = np.array([known.setdefault(r.group, len(known)) for r in records], dtype=np.int64)
        return damped(values, factor ** _earlier(values, groups))

    return step


def damp_duplicates(factor: float) -> Step:
    """Do not ask twice: a record that nearly repeats the text of a better one counts `factor` of its value.

    Near means a Jaccard similarity of about 3/4 or more of their 8-byte shingles, by MinHash (Broder, 1997).

    Args:
        factor: 1 changes nothing; 0 serves repetitions after all others.

    Returns:
        The step.
    """

    def step(values: FloatArray, records: Sequence[Pending]) -> FloatArray:
        order = np.argsort(-values, kind="stable")
        repeats = np.zeros(len(values), dtype=bool)
        repeats[order] = near_duplicates(signatures([r.text for r in records])[order])
        return damped(values, np.where(repeats, factor, 1.0))

    return step


def damped(values: FloatArray, factors: FloatArray) -> FloatArray:
    """Multiply, and keep the order of values among records whose factor is 0."""
    least = 1e-9
    return np.asarray(values * np.maximum(factors, least), dtype=np.float64)


def _earlier(values: FloatArray, groups: npt.NDArray[np.int64]) -> FloatArray:
    """How many records of the same group have a higher value (or an equal one and come before)."""
    order = np.lexsort((-values, groups))
    first = np.searchsorted(groups[order], groups[order], side="left")
    before = np.empty(len(values))
    before[order] = np.arange(len(values)) - first
    return before
