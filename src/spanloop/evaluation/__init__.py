"""How good a model is: exact spans, per label, with the interval, the kinds of errors and the calibration.

Two independent roads lead to F1: set arithmetic on character spans (`counts`) and strict IOB2 seqeval (`sequences`).
They agree on every record; both figures are kept. Spans of different labels may overlap. No torch here.
"""

from collections.abc import Sequence

from spanloop.evaluation.bootstrap import Paired, group_counts, interval, paired_bootstrap
from spanloop.evaluation.boundary import boundary_scores
from spanloop.evaluation.calibration import calibration_error, reliability
from spanloop.evaluation.confusion import confusion_of
from spanloop.evaluation.counts import Counts, Predictions, label_counts, record_counts, total
from spanloop.evaluation.result import Evaluation, LabelScores
from spanloop.evaluation.sequences import seqeval_scores
from spanloop.records import Example

__all__ = ["Counts", "Evaluation", "LabelScores", "Paired", "Predictions", "evaluate", "paired_bootstrap"]


def evaluate(
    examples: Sequence[Example], predictions: Predictions, labels: Sequence[str], *, seed: int = 0, samples: int = 1000
) -> Evaluation:
    """Judge predictions against gold spans.

    Args:
        examples: Records with gold spans, e.g. the test split of a snapshot.
        predictions: Spans by record id, one entry for each example, empty where the model found nothing.
        labels: The task's labels, in order.
        seed: Seed of the bootstrap.
        samples: Resamples of the groups for the interval.

    Returns:
        Every figure of the evaluation.

    Raises:
        DataError: No example, a missing prediction, or spans of one label that overlap, or leave their text.
    """
    counts = record_counts(examples, predictions)
    overall = total(counts)
    groups = group_counts(examples, counts)
    low, high = interval(groups, samples=samples, seed=seed)
    errors = confusion_of(examples, predictions)
    bins = reliability(examples, predictions)
    return Evaluation(
        n_records=len(examples),
        n_groups=len(groups),
        n_spans=overall.gold,
        n_predicted=overall.predicted,
        precision=overall.precision,
        recall=overall.recall,
        f1=overall.f1,
        f1_low=low,
        f1_high=high,
        per_label={name: _scores(c) for name, c in label_counts(examples, predictions, labels).items()},
        seqeval_f1=seqeval_scores(examples, predictions, labels)["overall_f1"],
        confusion=errors.labels,
        errors=errors.kinds,
        boundary=boundary_scores(examples, predictions),
        ece=calibration_error(bins),
        reliability=bins,
    )


def _scores(counts: Counts) -> LabelScores:
    return {"precision": counts.precision, "recall": counts.recall, "f1": counts.f1, "support": counts.gold}
