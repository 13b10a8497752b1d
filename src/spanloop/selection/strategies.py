"""Query strategies: how informative each record would be, from the statistics of one scoring pass.

Each takes the pool and a random generator and returns one value a record, higher first, NaN for a record that it cannot
judge: that one comes after all others. The measures themselves are computed while scoring (`spanloop.records`); higher
is always more informative, so a strategy says which measure rules. A further one is a function here and its line in
`STRATEGIES`; one outside the package is named `my_package:my_function` in `selection.strategy`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from spanloop.errors import ConfigError
from spanloop.selection.pool import FloatArray, Pool

Values = Callable[[Pool, np.random.Generator], FloatArray]


@dataclass(frozen=True, slots=True)
class Strategy:
    """A query strategy with what its function does not say.

    Attributes:
        function: Values of the pool's n records, shape (n,).
        needs: A setting without which it has nothing to go by, e.g. `scoring.mc_dropout_passes`; empty: none.
        is_measure: A value says how uncertain the model is, and annotators see it; otherwise they see `mnlp`.
    """

    function: Values
    needs: str = ""
    is_measure: bool = True

    def values(self, pool: Pool, rng: np.random.Generator) -> FloatArray:
        """Judge the records.

        Raises:
            ConfigError: The function returned something else than one number a record.
        """
        found: object = self.function(pool, rng)
        try:
            values = np.asarray(found, dtype=np.float64)
        except (TypeError, ValueError):
            values = np.empty(())
        if values.shape != (len(pool),):
            shown = f"an array of shape {found.shape}" if isinstance(found, np.ndarray) else f"a {type(found).__name__}"
            name = getattr(self.function, "__name__", "the function")
            raise ConfigError(
                f"selection.strategy: {name} returned {shown} for {len(pool)} records; return one number a record"
            )
        return values


def random(pool: Pool, rng: np.random.Generator) -> FloatArray:
    """No preference: the yardstick that every other strategy has to beat (Lewis and Gale, 1994)."""
    return rng.random(len(pool))


def least_confidence(pool: Pool, rng: np.random.Generator) -> FloatArray:
    """One minus the probability of the best tag sequence (Culotta and McCallum, AAAI 2005). Prefers long texts."""
    return pool.statistic("least_confidence")


def margin(pool: Pool, rng: np.random.Generator) -> FloatArray:
    """How close the second best tag sequence comes to the best (Scheffer, Decomain and Wrobel, IDA 2001)."""
    return pool.statistic("margin")


def token_entropy(pool: Pool, rng: np.random.Generator) -> FloatArray:
    """Mean entropy of the words' tag distributions (Settles and Craven, EMNLP 2008, "token entropy")."""
    return pool.statistic("token_entropy")


def mnlp(pool: Pool, rng: np.random.Generator) -> FloatArray:
    """Negative log probability of the best tag sequence, a word (Shen et al., ICLR 2018, "MNLP")."""
    return pool.statistic("mnlp")


def bald(pool: Pool, rng: np.random.Generator) -> FloatArray:
    """Disagreement of passes with dropout on (Houlsby et al., 2011; for tagging Siddhant and Lipton, EMNLP 2018)."""
    return pool.statistic("bald")


STRATEGIES: dict[str, Strategy] = {
    "random": Strategy(random, is_measure=False),
    "least_confidence": Strategy(least_confidence),
    "margin": Strategy(margin),
    "token_entropy": Strategy(token_entropy),
    "mnlp": Strategy(mnlp),
    "bald": Strategy(bald, needs="scoring.mc_dropout_passes"),
}
"""Every strategy by its name in `selection.strategy`."""
