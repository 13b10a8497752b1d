"""Strict IOB2 entity scores by seqeval, as an `evaluate` metric that needs no network.

    evaluate.load("path/to/spanloop/evaluation/seqeval_strict").compute(predictions=..., references=...)

An entity is right only if its type, first and last token are, and only `B-` opens one: `I-` after `O` or after another
type is no entity. (The hub's `seqeval` metric is lenient by default and gives other numbers for the same tags.)
`evaluate.load` reads the imports of this file line by line: one import a line.
"""

from typing import Any

import datasets
import evaluate
from seqeval.metrics.v1 import precision_recall_fscore_support
from seqeval.scheme import IOB2, Entities

_CITATION = """\
@misc{seqeval, title={{seqeval}: A Python framework for sequence labeling evaluation},
  url={https://github.com/chakki-works/seqeval}, author={Hiroki Nakayama}, year={2018}}
"""

_INPUTS = """
Args:
    predictions: one list of IOB2 tags a record.
    references: one list of IOB2 tags a record, as long as its prediction.
Returns:
    `overall_precision`, `overall_recall`, `overall_f1` (micro), and for each entity type a dictionary of
    `precision`, `recall`, `f1`, `support`; plain Python numbers.
"""


class SeqevalStrict(evaluate.Metric):
    """seqeval with `mode="strict", scheme=IOB2`, every number a plain float or int."""

    def _info(self) -> evaluate.MetricInfo:
        tags = datasets.List(datasets.Value("string"))
        return evaluate.MetricInfo(
            description="Strict IOB2 precision, recall and F1 of entities, by seqeval.",
            citation=_CITATION,
            inputs_description=_INPUTS,
            features=datasets.Features({"predictions": tags, "references": tags}),
            reference_urls=["https://github.com/chakki-works/seqeval"],
        )

    def _compute(self, predictions: list[list[str]], references: list[list[str]]) -> dict[str, Any]:
        gold, found = Entities(references, IOB2), Entities(predictions, IOB2)
        shared = {"scheme": IOB2, "zero_division": 0, "entities_true": gold, "entities_pred": found}
        micro = precision_recall_fscore_support(references, predictions, average="micro", **shared)
        scores: dict[str, Any] = dict(
            zip(("overall_precision", "overall_recall", "overall_f1"), map(float, micro[:3]), strict=True)
        )
        each = precision_recall_fscore_support(references, predictions, average=None, **shared)
        for name, *prf, support in zip(sorted(gold.unique_tags | found.unique_tags), *each, strict=True):
            scores[name] = dict(zip(("precision", "recall", "f1"), map(float, prf), strict=True))
            scores[name]["support"] = int(support)
        return scores
