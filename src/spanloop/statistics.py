"""What one scoring pass says about one record's uncertainty.

A module of its own, without numpy or torch, because two rooms meet here: scoring fills it, selection reads it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Statistics:
    """One record's uncertainty under the model in service; of every measure, higher means more informative.

    Attributes:
        n_words: Words of the text (`spanloop.words`); 0 for a text without any.
        least_confidence: 1 - P(best tag sequence | text), in [0, 1] (Culotta and McCallum, 2005).
        margin: -(P(best sequence) - P(second best sequence)), in [-1, 0] (Scheffer et al., 2001).
        token_entropy: Mean entropy of the words' tag distributions, in nats, >= 0 (Settles and Craven, 2008).
        mnlp: -(1 / n_words) * log P(best tag sequence | text), in nats, >= 0 (Shen et al., 2018).
        bald: Mean over words of the mutual information between tag and weights, in nats, >= 0, from passes with
            dropout on (Houlsby et al., 2011; Gal et al., 2017); None where no such passes were made.
    """

    n_words: int
    least_confidence: float
    margin: float
    token_entropy: float
    mnlp: float
    bald: float | None = None
