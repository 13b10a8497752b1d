"""Query strategies: how informative each record would be, from the statistics of one scoring pass.

Each takes the statistics of n records and a random generator and returns n values, higher first, NaN for a record that
was not scored. The measures themselves are computed while scoring (`spanloop.records`); higher is always more
informative, so a strategy says which measure rules.
"""

from collections.abc import Callable

import numpy as np

from spanloop.selection.pending import Columns, FloatArray

Strategy = Callable[[Columns, np.random.Generator], FloatArray]


def random(columns: Columns, rng: np.random.Generator) -> FloatArray:
    """No preference: the yardstick that every other strategy has to beat (Lewis and Gale, 1994)."""
    return rng.random(len(columns.n_words))


def least_confidence(columns: Columns, rng: np.random.Generator) -> FloatArray:
    """One minus the probability of the best tag sequence (Culotta and McCallum, AAAI 2005). Prefers long texts."""
    return columns.least_confidence


def margin(columns: Columns, rng: np.random.Generator) -> FloatArray:
    """How close the second best tag sequence comes to the best (Scheffer, Decomain and Wrobel, IDA 2001)."""
    return columns.margin


def token_entropy(columns: Columns, rng: np.random.Generator) -> FloatArray:
    """Mean entropy of the words' tag distributions (Settles and Craven, EMNLP 2008, "token entropy")."""
    return columns.token_entropy


def mnlp(columns: Columns, rng: np.random.Generator) -> FloatArray:
    """Negative log probability of the best tag sequence, a word (Shen et al., ICLR 2018, "MNLP")."""
    return columns.mnlp


def bald(columns: Columns, rng: np.random.Generator) -> FloatArray:
    """Disagreement of passes with dropout on (Houlsby et al., 2011; for tagging Siddhant and Lipton, EMNLP 2018)."""
    return columns.bald


STRATEGIES: dict[str, Strategy] = {
    "random": random,
    "least_confidence": least_confidence,
    "margin": margin,
    "token_entropy": token_entropy,
    "mnlp": mnlp,
    "bald": bald,
}
"""Every strategy by its name in `selection.strategy`."""
