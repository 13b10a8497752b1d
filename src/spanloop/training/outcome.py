"""What training reports, while it runs and when it is done."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class TrainProgress:
    """Where training stands.

    Attributes:
        step: Update steps done, those of the folds included.
        max_steps: Update steps planned, likewise.
        loss: Mean loss a labelled token since the last report.
        learning_rate: The encoder's current learning rate.
        tokens_per_second: Real tokens, padding not counted.
        seconds_left: Estimate for the steps that are planned.
    """

    step: int
    max_steps: int
    loss: float
    learning_rate: float
    tokens_per_second: float
    seconds_left: float


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What training did.

    Attributes:
        device: What it ran on, e.g. `cpu` or `cuda`.
        precision: `no` (fp32), `bf16` or `fp16`.
        steps: Update steps of the model, without those of the folds.
        epochs: Passes over the records, as a fraction.
        seconds: Time of training, folds included, over all resumptions.
        tokens_per_second: Real tokens a second of that time.
        score_slope: Calibrates the probabilities of spans, as `model.scores` says; 1 without folds.
        score_offset: Likewise; 0 without folds.
        min_score: Spans of a lower score are not suggested; 0 without folds.
        folds: Trainings on a part of the records, to judge on the rest; 0: there were none.
        out_of_fold_f1: Exact-span F1, from that score on, of what the folds' models find in the records
            that they were not trained on; None without folds.
        plain_f1: The same of a plain pipeline of transformers, by its aggregation strategy, on `plain_records` of these
            records; empty where that was not measured.
        plain_ours: `out_of_fold_f1` on those `plain_records` alone.
        plain_records: How many of the records it read.
        lost_spans: Gold spans of the training records that the words do not hold exactly.
    """

    device: str
    precision: str
    steps: int
    epochs: float
    seconds: float
    tokens_per_second: float
    score_slope: float = 1.0
    score_offset: float = 0.0
    min_score: float = 0.0
    folds: int = 0
    out_of_fold_f1: float | None = None
    plain_f1: dict[str, float] = field(default_factory=dict)
    plain_ours: float | None = None
    plain_records: int = 0
    lost_spans: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The result as plain values."""
        return asdict(self)


Report = Callable[[TrainProgress], None]
