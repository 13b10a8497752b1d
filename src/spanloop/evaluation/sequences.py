"""Strict IOB2 seqeval of character spans, through the metric module that ships in this package."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spanloop.evaluation.counts import Predictions, all_labels, checked
from spanloop.evaluation.tagging import iob2, units
from spanloop.records import Example, Span
from spanloop.spans import have_overlaps

METRIC = Path(__file__).parent / "seqeval_strict"
"""Folder of the metric module, for `evaluate.load(str(METRIC))`."""


def seqeval_scores(examples: Sequence[Example], predictions: Predictions, labels: Sequence[str]) -> dict[str, Any]:
    """Score spans with strict IOB2 seqeval; a record in which spans overlap gives a sequence for each label.

    Labels go to seqeval under neutral names, because it strips dashes from a type ("-x" and "x" would be one).

    Args:
        examples: Records with gold spans.
        predictions: Spans by record id.
        labels: Every label of the task; others that occur are scored too.

    Returns:
        `overall_precision`, `overall_recall`, `overall_f1`, and by label `precision`, `recall`, `f1`, `support`.

    Raises:
        DataError: See `spanloop.evaluation.counts.checked`.
    """
    pairs = checked(examples, predictions)
    names = {label: f"L{i}" for i, label in enumerate(all_labels(examples, predictions, labels))}
    references, hypotheses = [], []
    for example, gold, predicted in pairs:
        segments = units(example.text, [*gold, *predicted])
        for of_gold, of_predicted in _layers(gold, predicted):
            references.append(iob2(segments, of_gold, names))
            hypotheses.append(iob2(segments, of_predicted, names))
    scores = _metric_compute(hypotheses, references)
    back = {name: label for label, name in names.items()}
    return {back.get(key, key): value for key, value in scores.items()}


def _layers(gold: list[Span], predicted: list[Span]) -> list[tuple[list[Span], list[Span]]]:
    """Spans that one sequence of tags can hold: all, or where some overlap those of each label."""
    if not have_overlaps(gold) and not have_overlaps(predicted):
        return [(gold, predicted)]
    labels = sorted({span.label for span in [*gold, *predicted]})
    return [([s for s in gold if s.label == x], [s for s in predicted if s.label == x]) for x in labels]


def _metric_compute(predictions: list[list[str]], references: list[list[str]]) -> dict[str, Any]:
    from spanloop.evaluation.seqeval_strict.seqeval_strict import SeqevalStrict

    with tempfile.TemporaryDirectory(prefix="spanloop-metric-") as cache:
        metric = SeqevalStrict(keep_in_memory=True, cache_dir=cache)
        scores: dict[str, Any] = metric.compute(predictions=predictions, references=references)
        return scores
