"""Which label was taken for which, and what kind of error each span is.

Gold and predicted spans of a record are paired one to one, best pair first: equal boundaries before overlaps, equal
labels before others, larger overlaps before smaller.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from spanloop.evaluation.counts import Predictions, checked
from spanloop.records import Example, Span

NO_SPAN = ""
"""Row of spurious and column of missed spans in the confusion: the one name that no label can have."""

KINDS = ("correct", "boundary", "type", "both", "missed", "spurious")
"""Every gold and predicted span is exactly one of: right; right label with wrong boundaries; right boundaries with
wrong label; overlapping with both wrong; gold without a partner; predicted without a partner."""


@dataclass(frozen=True, slots=True)
class Confusion:
    """How gold and predicted spans correspond.

    Attributes:
        labels: Counts by gold label, then by predicted label; the empty name stands for no span.
        kinds: Counts by kind of error, one key for each of `KINDS`.
    """

    labels: dict[str, dict[str, int]]
    kinds: dict[str, int]


def confusion_of(examples: Sequence[Example], predictions: Predictions) -> Confusion:
    """Count label against label and the kinds of errors.

    Args:
        examples: Records with gold spans.
        predictions: Spans by record id.

    Returns:
        Both tables; their `correct` cells add up to the spans that are exactly right.
    """
    labels: Counter[tuple[str, str]] = Counter()
    kinds: Counter[str] = Counter()
    for _, gold, predicted in checked(examples, predictions):
        for g, p in pairs(gold, predicted):
            labels[g.label if g else NO_SPAN, p.label if p else NO_SPAN] += 1
            kinds[kind(g, p)] += 1
    table: dict[str, dict[str, int]] = {}
    for (g_label, p_label), n in sorted(labels.items()):
        table.setdefault(g_label, {})[p_label] = n
    return Confusion(table, {name: kinds[name] for name in KINDS})


def pairs(gold: Sequence[Span], predicted: Sequence[Span]) -> Iterator[tuple[Span | None, Span | None]]:
    """Pair sorted gold spans with sorted predicted spans, each at most once; the rest with None."""
    free_gold, free_predicted = set(gold), set(predicted)
    for g, p in sorted(_overlapping(gold, predicted), key=_worse):
        if g in free_gold and p in free_predicted:
            free_gold.remove(g)
            free_predicted.remove(p)
            yield g, p
    yield from ((g, None) for g in sorted(free_gold))
    yield from ((None, p) for p in sorted(free_predicted))


def kind(gold: Span | None, predicted: Span | None) -> str:
    """Name what a pair is: one of `KINDS`."""
    if gold is None:
        return "spurious"
    if predicted is None:
        return "missed"
    if (gold.start, gold.end) == (predicted.start, predicted.end):
        return "correct" if gold.label == predicted.label else "type"
    return "boundary" if gold.label == predicted.label else "both"


def _overlapping(gold: Sequence[Span], predicted: Sequence[Span]) -> Iterator[tuple[Span, Span]]:
    first = 0
    for g in gold:
        while first < len(predicted) and predicted[first].end <= g.start:
            first += 1
        for p in predicted[first:]:
            if p.start >= g.end:
                break
            if p.end > g.start:  # behind a span that reaches far may stand one that ends before it
                yield g, p


def _worse(pair: tuple[Span, Span]) -> tuple[bool, bool, int, int, int]:
    g, p = pair
    shared = min(g.end, p.end) - max(g.start, p.start)
    return (g.start, g.end) != (p.start, p.end), g.label != p.label, -shared, g.start, p.start
