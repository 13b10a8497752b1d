"""What training reports, while it runs and when it is done."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class TrainProgress:
    """Where training stands.

    Attributes:
        step: Update steps done.
        max_steps: Update steps planned; early stopping may end sooner.
        epoch: Passes over the training records, as a fraction.
        loss: Mean loss a labelled token since the last report.
        learning_rate: The encoder's current learning rate.
        validation_f1: The last validation F1 in 0..1; None before the first or without validation records.
        tokens_per_second: Real tokens (padding not counted), evaluation included.
        seconds_left: Estimate for the steps that are planned.
    """

    step: int
    max_steps: int
    epoch: float
    loss: float
    learning_rate: float
    validation_f1: float | None
    tokens_per_second: float
    seconds_left: float


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What training did.

    Attributes:
        device: What it ran on, e.g. `cpu` or `cuda`.
        precision: `no` (fp32), `bf16` or `fp16`.
        steps: Update steps done.
        epochs: Passes over the training records, as a fraction.
        seconds: Time of training, evaluation included, over all resumptions.
        tokens_per_second: Real tokens a second of that time.
        validation_f1: Exact-span F1 of the weights that were kept; None without validation records.
        temperature: Divides the logits, fitted on validation; 1 without validation records.
        best_step: The step whose weights were kept.
        lost_spans: Gold spans of the training records that the words do not hold exactly.
    """

    device: str
    precision: str
    steps: int
    epochs: float
    seconds: float
    tokens_per_second: float
    validation_f1: float | None
    temperature: float
    best_step: int
    lost_spans: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The result as plain values."""
        return asdict(self)


Report = Callable[[TrainProgress], None]
