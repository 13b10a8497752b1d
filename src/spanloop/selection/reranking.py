"""What counts beside informativeness: steps that each take the values of the pool's n records and return n new ones.

The first step, `cost`, sees the strategy's own values: what a record is worth a word cannot be told from its rank. The
others see ranks in (0, 1], higher first, and return such, because a difference of margins and one of entropies cannot
be weighed alike. How much a step counts is its strength in 0..1: 0 changes no order. A further step is a function here
and its line in `STEPS`; the first line of its docstring is what users read of it in their `spanloop.yaml`.
"""

from collections import Counter
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from spanloop.errors import ConfigError
from spanloop.selection.diversity import diversity
from spanloop.selection.minhash import near_duplicates, signatures
from spanloop.selection.pool import FloatArray, Pool

Step = Callable[[FloatArray, Pool, float], FloatArray]

_LETTERS_A_WORD = 6


def cost(values: FloatArray, pool: Pool, strength: float) -> FloatArray:
    """Prefer short texts: a value is divided by the number of words to the power of the strength; 1: value a word.

    Marking time grows with length; value per word, at strength 1, is the return on investment of Haertel et al. (2008)
    and the cost-sensitive selection of Tomanek and Hahn (2010). Values that are per word already, as those of `mnlp`,
    stay as they are, and so do those that are no measure: an order at random has no worth to divide.

    Raises:
        ConfigError: A value is negative: divided, it would prefer long texts.
    """
    if (values < 0).any():
        raise ConfigError(
            f"selection.steps: cost divides values by words, and the strategy gave {values.min():.4g}; "
            "let it return values of 0 or more, or leave cost out"
        )
    words = [r.statistics.n_words if r.statistics else len(r.text) // _LETTERS_A_WORD for r in pool.records]
    return np.asarray(values / np.maximum(np.array(words, dtype=np.float64), 1.0) ** strength, dtype=np.float64)


def duplicates(values: FloatArray, pool: Pool, strength: float) -> FloatArray:
    """Do not ask twice: a text that nearly repeats an annotated or a better one loses this share; 1: it comes last.

    Near means a Jaccard similarity of about 3/4 or more of their 8-byte shingles, by MinHash (Broder, 1997).
    """
    order = np.argsort(-values, kind="stable")
    texts = [*(record.text for record in pool.annotated), *(pool.records[i].text for i in order)]
    repeats = np.zeros(len(values), dtype=bool)
    repeats[order] = near_duplicates(signatures(texts))[len(pool.annotated) :]
    return _damped(values, np.where(repeats, 1 - strength, 1.0))


def groups(values: FloatArray, pool: Pool, strength: float) -> FloatArray:
    """Spread annotation over documents: each further record of one document loses this share of its value again.

    At strength 1 one record of each document comes before the second of any. Annotated records count as well.
    """
    known: dict[str, int] = {}
    numbers = np.array([known.setdefault(record.group, len(known)) for record in pool.records], dtype=np.int64)
    annotated = Counter(record.group for record in pool.annotated)
    before = np.array([annotated[group] for group in known])[numbers] if known else np.zeros(0)
    return _damped(values, (1 - strength) ** (before + _earlier(values, numbers)))


STEPS: dict[str, Step] = {
    "cost": cost,  # first: it looks at the strategy's own values
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
