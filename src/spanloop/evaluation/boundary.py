"""Boundary errors apart from type errors: the four schemes of SemEval-2013 task 9, by nervaluate.

`strict` asks for boundaries and type, `exact` for boundaries alone, `partial` for any overlap whatever the type,
`ent_type` for an overlap of the right type. A high `ent_type` beside a low `strict` F1 says: right things, wrong edges.
"""

from collections.abc import Sequence
from typing import Any

from spanloop.evaluation.counts import Predictions, checked
from spanloop.records import Example, Span

_COUNTS = ("correct", "incorrect", "partial", "missed", "spurious")


def boundary_scores(examples: Sequence[Example], predictions: Predictions) -> dict[str, dict[str, float]]:
    """Score spans under nervaluate's four schemes.

    Only the overall figures are asked for: nervaluate's own `Evaluator` repeats all four for every label.

    Args:
        examples: Records with gold spans.
        predictions: Spans by record id.

    Returns:
        By scheme (`strict`, `exact`, `partial`, `ent_type`): `correct`, `incorrect`, `partial`, `missed`, `spurious`,
        `precision`, `recall`, `f1`.
    """
    from nervaluate.entities import EvaluationResult
    from nervaluate.strategies import EntityTypeEvaluation, ExactEvaluation, PartialEvaluation, StrictEvaluation

    schemes: dict[str, Any] = {
        "strict": StrictEvaluation(),
        "exact": ExactEvaluation(),
        "partial": PartialEvaluation(),
        "ent_type": EntityTypeEvaluation(),
    }
    totals = {name: EvaluationResult() for name in schemes}
    for _, gold, predicted in checked(examples, predictions):
        gold_entities, predicted_entities = _entities(gold), _entities(_best_first(gold, predicted))
        for name, scheme in schemes.items():
            result, _ = scheme.evaluate(gold_entities, predicted_entities, [])
            for count in _COUNTS:
                setattr(totals[name], count, getattr(totals[name], count) + getattr(result, count))
    return {name: _plain(totals[name], halves=name in ("partial", "ent_type")) for name in schemes}


def _best_first(gold: Sequence[Span], predicted: Sequence[Span]) -> list[Span]:
    """Exact spans ahead: nervaluate pairs greedily, and an inexact one that overlaps a gold span would take it."""
    exact, edges = set(gold), {(g.start, g.end) for g in gold}
    return sorted(predicted, key=lambda p: (p not in exact, (p.start, p.end) not in edges))


def _entities(spans: Sequence[Span]) -> list[Any]:
    """Spans as nervaluate counts them: the end is the last character, not the one after."""
    from nervaluate.entities import Entity

    return [Entity(span.label, span.start, span.end - 1) for span in spans]


def _plain(result: Any, *, halves: bool) -> dict[str, float]:
    result.compute_metrics(partial_or_type=halves)
    counts: dict[str, float] = {name: int(getattr(result, name)) for name in _COUNTS}
    return counts | {name: float(getattr(result, name)) for name in ("precision", "recall", "f1")}
