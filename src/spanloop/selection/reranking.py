"""What counts beside informativeness: steps that each take the values of n records and return n new ones.

A step sees values in (0, 1], higher first, and returns such; the first are the strategy's values as ranks, because a
difference of margins and one of entropies cannot be weighed alike. How much a step counts is its strength in 0..1: 0
changes no order. A further step is a function here and its line in `STEPS`; the first sentence of its docstring is what
users read of it in their `spanloop.yaml`.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from spanloop.selection.diversity import diversity
from spanloop.selection.minhash import near_duplicates, signatures
from spanloop.selection.pool import FloatArray, Pending

Step = Callable[[FloatArray, Sequence[Pending], float], FloatArray]

_LETTERS_A_WORD = 6


def cost(values: FloatArray, records: Sequence[Pending], strength: float) -> FloatArray:
    """Prefer short texts: value is divided by the number of words to the power of the strength.

    Marking time grows with length; value per word, at strength 1, is the return on investment of Haertel et al. (2008)
    and the cost-sensitive selection of Tomanek and Hahn (2010).
    """
    words = [r.statistics.n_words if r.statistics else len(r.text) // _LETTERS_A_WORD for r in records]
    return np.asarray(values / np.maximum(np.array(words, dtype=np.float64), 1.0) ** strength, dtype=np.float64)


def duplicates(values: FloatArray, records: Sequence[Pending], strength: float) -> FloatArray:
    """Do not ask twice: a text that nearly repeats a better one loses this share of its value; 1: it comes last.

    Near means a Jaccard similarity of about 3/4 or more of their 8-byte shingles, by MinHash (Broder, 1997).
    """
    order = np.argsort(-values, kind="stable")
    repeats = np.zeros(len(values), dtype=bool)
    repeats[order] = near_duplicates(signatures([r.text for r in records])[order])
    return _damped(values, np.where(repeats, 1 - strength, 1.0))


def groups(values: FloatArray, records: Sequence[Pending], strength: float) -> FloatArray:
    """Spread a batch over documents: each further record of one document loses this share of its value again.

    At strength 1 one record of each document comes before the second of any.
    """
    known: dict[str, int] = {}
    numbers = np.array([known.setdefault(r.group, len(known)) for r in records], dtype=np.int64)
    return _damped(values, (1 - strength) ** _earlier(values, numbers))


STEPS: dict[str, Step] = {
    "cost": cost,
    "duplicates": duplicates,
    "groups": groups,
    "diversity": diversity,  # last: it looks at the order that the others made
}
"""Every step by its name in `selection.steps`, in the order in which they are applied."""


def _damped(values: FloatArray, factors: FloatArray) -> FloatArray:
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
