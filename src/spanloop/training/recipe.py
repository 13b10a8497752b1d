"""The recipe: learning rates, schedule, number of steps, weight decay.

The peak learning rate follows the encoder's size, by a power law through `LEARNING_RATE` for a small encoder of
`PARAMETERS` and what BERT's authors found for larger ones. How both were chosen: `docs/lab-notes.md`.
"""

from dataclasses import dataclass
from math import ceil
from typing import Any

from spanloop.config import TrainingConfig
from spanloop.training.pretrained import head_parameters
from spanloop.training.token_types import surface_parameters

PARAMETERS = 22e6
LEARNING_RATE = 2e-4
_EXPONENT = -0.86  # 5e-5 at 110 M, 1.9e-5 at 340 M
_BOUNDS = (1e-5, 6e-4)


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long to train.

    Attributes:
        per_epoch: Update steps a pass over the data.
        steps: Update steps in all.
        warmup: Steps in which the learning rate rises.
    """

    per_epoch: int
    steps: int
    warmup: int

    def factor(self, step: int) -> float:
        """The learning rate of an update, counted from 0, over its peak: linear rise, then linear fall to 0."""
        if step < self.warmup:
            return (step + 1) / (self.warmup + 1)
        return max(0.0, (self.steps - step) / max(1, self.steps - self.warmup))


def make_schedule(n_windows: int, config: TrainingConfig, of_all: int | None = None) -> Schedule:
    """As many steps as the epochs take, but not fewer than `config.min_steps`.

    Args:
        n_windows: Windows that are trained on.
        config: How to train.
        of_all: The windows of all records, which decide on the steps: how sure a model is of itself follows the steps
            of its training, and the models of the folds stand for the one of all records. None: `n_windows`.
    """
    per_epoch, whole = (max(1, ceil(n / windows_per_step(config))) for n in (n_windows, of_all or n_windows))
    steps = max(config.num_train_epochs * whole, config.min_steps, 1)
    return Schedule(per_epoch, steps, int(config.warmup_ratio * steps))


def windows_per_step(config: TrainingConfig) -> int:
    """Windows of one update step, on any number of devices."""
    return config.per_device_train_batch_size * config.gradient_accumulation_steps


def learning_rate(model: Any, config: TrainingConfig) -> float:
    """The encoder's peak learning rate: what is asked for, or by the encoder's size."""
    if config.learning_rate > 0:
        return config.learning_rate
    size = sum(p.numel() for p in model.base_model.parameters())
    low, high = _BOUNDS
    return float(min(high, max(low, LEARNING_RATE * (size / PARAMETERS) ** _EXPONENT)))


def parameter_groups(model: Any, config: TrainingConfig) -> list[dict[str, Any]]:
    """Groups for AdamW: what is new (the head, the surface of words) learns faster, biases and norms do not decay.

    Returns:
        Groups with `params`, `lr`, `peak` (the rate that the schedule scales) and `weight_decay`.
    """
    rate, fresh = learning_rate(model, config), head_parameters(model) | surface_parameters(model)
    groups: dict[tuple[float, float], list[Any]] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        peak = rate * config.head_learning_rate_ratio if name in fresh else rate
        decay = config.weight_decay if parameter.ndim > 1 else 0.0
        groups.setdefault((peak, decay), []).append(parameter)
    return [{"params": p, "lr": peak, "peak": peak, "weight_decay": decay} for (peak, decay), p in groups.items()]
