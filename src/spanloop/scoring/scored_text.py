"""What scoring says about a text."""

from dataclasses import dataclass

from spanloop.records import ScoredSpan, Statistics


@dataclass(frozen=True, slots=True)
class ScoredText:
    """One text, scored.

    Attributes:
        id: The id given with the text.
        spans: The predicted spans, sorted, those of one label disjoint, each with its calibrated probability.
        statistics: How unsure the model is.
    """

    id: str
    spans: tuple[ScoredSpan, ...]
    statistics: Statistics
