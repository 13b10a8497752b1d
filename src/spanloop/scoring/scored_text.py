"""What scoring says about a text."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spanloop.records import ScoredSpan, Statistics


@dataclass(frozen=True, slots=True)
class ScoredText:
    """One text, scored.

    Attributes:
        id: The id given with the text.
        spans: The predicted spans, sorted and disjoint, each with its calibrated probability.
        statistics: How unsure the model is.
        embedding: Mean of the last hidden states of the text's subwords, `(hidden_size,)`, zeros for a text without
            any; None where none was asked for.
    """

    id: str
    spans: tuple[ScoredSpan, ...]
    statistics: Statistics
    embedding: NDArray[np.float32] | None = None
