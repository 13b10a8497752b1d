"""From the probability of a span under the chain to the share of such spans that is right."""

from dataclasses import dataclass

import numpy as np

from spanloop.model.ragged import Doubles

_EDGE = 1e-6  # probabilities of 0 and 1 have no odds


def log_odds(probabilities: Doubles) -> Doubles:
    """Logarithms of the odds, with probabilities kept off 0 and 1."""
    p = np.clip(probabilities, _EDGE, 1 - _EDGE)
    return np.asarray(np.log(p) - np.log1p(-p))


@dataclass(frozen=True, slots=True)
class ScoreScale:
    """A straight line through the log-odds (Platt 1999): probabilities change, their order does not.

    A temperature of the words' logits, which has no offset, leaves twice the calibration error (`docs/lab-notes.md`).

    Attributes:
        slope: Above 0; below 1 for a model that is too sure of itself.
        offset: Below 0 for a model that is right less often than it says.
    """

    slope: float = 1.0
    offset: float = 0.0

    def scores(self, probabilities: Doubles) -> Doubles:
        """What a user is told, of `(n_spans,)` probabilities under the chain."""
        if (self.slope, self.offset) == (1.0, 0.0):
            return probabilities
        return np.asarray(1 / (1 + np.exp(-(self.slope * log_odds(probabilities) + self.offset))))
