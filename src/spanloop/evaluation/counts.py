"""Exact-span F1 by set arithmetic on characters: independent of words, tags and seqeval.

A predicted span is correct when start, end and label equal those of a gold span of the same record
(CoNLL's definition, Tjong Kim Sang and De Meulder, 2003). A ratio with nothing to divide by is 0.0, as in seqeval.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from spanloop.errors import DataError
from spanloop.records import Example, ScoredSpan, Span
from spanloop.spans import find_clash

Predictions: TypeAlias = Mapping[str, Sequence[Span | ScoredSpan]]
FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Counts:
    """Spans that are right, spans predicted, spans in the gold, and the ratios of the three.

    Attributes:
        correct: Predicted spans that are in the gold too.
        predicted: Predicted spans.
        gold: Gold spans.
    """

    correct: int
    predicted: int
    gold: int

    @property
    def precision(self) -> float:
        """Share of the predicted spans that are right; 0.0 with none predicted."""
        return self.correct / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """Share of the gold spans that were predicted; 0.0 with no gold span."""
        return self.correct / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0.0 where both are."""
        total = self.predicted + self.gold
        return 2 * self.correct / total if total else 0.0


def plain(spans: Iterable[Span | ScoredSpan]) -> list[Span]:
    """The spans without scores, sorted."""
    return sorted(span.span if isinstance(span, ScoredSpan) else span for span in spans)


def checked(examples: Sequence[Example], predictions: Predictions) -> list[tuple[Example, list[Span], list[Span]]]:
    """Pair each example with its sorted gold and predicted spans.

    Args:
        examples: Records with gold spans; at least one.
        predictions: Spans by record id; ids that are no example are ignored.

    Returns:
        (example, gold, predicted) in the order of the examples.

    Raises:
        DataError: No example, an example without a prediction, or spans that no IOB2 tagging can hold
            (empty, outside the text, overlapping one of their label, doubled); the message names the record.
    """
    if not examples:
        raise DataError("no record to evaluate on; the split is empty")
    pairs = []
    for example in examples:
        if example.id not in predictions:
            raise DataError(f"record {example.id!r} has no prediction; pass an empty list where nothing was found")
        gold, predicted = plain(example.spans), plain(predictions[example.id])
        _check(example, gold, "gold")
        _check(example, predicted, "predicted")
        pairs.append((example, gold, predicted))
    return pairs


def record_counts(examples: Sequence[Example], predictions: Predictions) -> IntArray:
    """Count correct, predicted and gold spans of each record.

    Args:
        examples: Records with gold spans.
        predictions: Spans by record id.

    Returns:
        Shape (records, 3): correct, predicted, gold.

    Raises:
        DataError: See `checked`.
    """
    rows = [(len(set(g) & set(p)), len(p), len(g)) for _, g, p in checked(examples, predictions)]
    return np.array(rows, dtype=np.int64)


def label_counts(examples: Sequence[Example], predictions: Predictions, labels: Sequence[str]) -> dict[str, Counts]:
    """Count correct, predicted and gold spans of each label.

    Args:
        examples: Records with gold spans.
        predictions: Spans by record id.
        labels: Labels to report, in this order; others that occur follow, sorted.

    Returns:
        Counts by label, for every label of `labels` even where it does not occur.
    """
    table = {label: [0, 0, 0] for label in all_labels(examples, predictions, labels)}
    for example in examples:
        gold, predicted = set(plain(example.spans)), set(plain(predictions[example.id]))
        for column, spans in enumerate((gold & predicted, predicted, gold)):
            for span in spans:
                table[span.label][column] += 1
    return {label: Counts(*row) for label, row in table.items()}


def all_labels(examples: Sequence[Example], predictions: Predictions, labels: Sequence[str]) -> list[str]:
    """`labels` in their order, then every other label that occurs, sorted (a model may know a removed label)."""
    used = {s.label for x in examples for s in (*x.spans, *predictions[x.id])}
    return [*labels, *sorted(used - set(labels))]


def total(counts: IntArray) -> Counts:
    """Add up the rows of `record_counts`: micro-averaged counts."""
    correct, predicted, gold = (int(x) for x in counts.sum(axis=0))
    return Counts(correct, predicted, gold)


def f1_of(totals: npt.NDArray[np.int64] | FloatArray) -> FloatArray:
    """F1 of many count triples at once.

    Args:
        totals: Shape (..., 3): correct, predicted, gold.

    Returns:
        Shape (...), 0.0 where nothing was predicted and nothing is gold.
    """
    spans = totals[..., 1] + totals[..., 2]
    f1: FloatArray = np.where(spans > 0, 2.0 * totals[..., 0] / np.maximum(spans, 1), 0.0)
    return f1


def _check(example: Example, spans: list[Span], kind: str) -> None:
    for span in spans:
        if not 0 <= span.start < span.end <= len(example.text):
            raise DataError(
                f"record {example.id!r}: {kind} span {span.start}-{span.end} ({span.label}) is empty or outside "
                f"its text of {len(example.text)} characters; pull the record again"
            )
    if clash := find_clash(spans):
        raise DataError(
            f"record {example.id!r}: {kind} span {clash.start}-{clash.end} ({clash.label}) overlaps one of its label "
            "before it; resolve overlaps first (annotations.overlaps)"
        )
