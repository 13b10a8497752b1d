"""The recipe: learning rates, schedule, number of steps, weight decay.

The peak learning rate follows the weights that a step moves, by a power law through `LEARNING_RATE` for a small
encoder of `WEIGHTS` and what BERT's authors found for larger ones. The head's is such that a step moves its logits as
far for any encoder. How both were chosen: `docs/lab-notes.md`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

import torch

from spanloop.training.families import vocabulary
from spanloop.training.pretrained import head_parameters
from spanloop.training.token_types import surface_parameters

if TYPE_CHECKING:
    from spanloop.config import TrainingConfig

WEIGHTS = 10.8e6
LEARNING_RATE = 2e-4
_EXPONENT = -0.67  # 5e-5 at the 86 M of BERT-base, 2.1e-5 at the 303 M of BERT-large
_BOUNDS = (1e-5, 6e-4)

HEAD_STEP = 0.18
"""How far a step of the peak rate moves a logit: each weight of the head moves by the rate, against its input."""
_RATIOS = (1.0, 100.0)
_TEXTS, _TOKENS = 8, 64


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long to train.

    Attributes:
        windows: Windows an update step, of all processes together.
        per_epoch: Update steps a pass over the data.
        steps: Update steps in all.
        warmup: Steps in which the learning rate rises.
    """

    windows: int
    per_epoch: int
    steps: int
    warmup: int

    def factor(self, step: int) -> float:
        """The learning rate of an update, counted from 0, over its peak: linear rise, then linear fall to 0."""
        if step < self.warmup:
            return (step + 1) / (self.warmup + 1)
        return max(0.0, (self.steps - step) / max(1, self.steps - self.warmup))


def make_schedule(n_windows: int, config: "TrainingConfig", of_all: int | None = None, processes: int = 1) -> Schedule:
    """As many steps as the epochs take, but not fewer than `config.min_steps`.

    Args:
        n_windows: Windows that are trained on.
        config: How to train.
        of_all: The windows of all records, which decide on the steps: how sure a model is of itself follows the steps
            of its training, and the models of the folds stand for the one of all records. None: `n_windows`.
        processes: Processes that share a step; each brings its windows.
    """
    windows = config.per_device_train_batch_size * config.gradient_accumulation_steps * processes
    per_epoch, whole = (max(1, ceil(n / windows)) for n in (n_windows, of_all or n_windows))
    steps = max(config.num_train_epochs * whole, config.min_steps, 1)
    return Schedule(windows, per_epoch, steps, int(config.warmup_ratio * steps))


def learning_rate(model: Any, config: "TrainingConfig") -> float:
    """The encoder's peak learning rate: what is asked for, or by the weights that learn."""
    return config.learning_rate or _rate_by_weights(model)


def _rate_by_weights(model: Any) -> float:
    low, high = _BOUNDS
    return float(min(high, max(low, LEARNING_RATE * (learning_weights(model) / WEIGHTS) ** _EXPONENT)))


def learning_weights(model: Any) -> int:
    """Weights of the encoder that a step moves together, each as often as a forward pass applies it.

    The rows of the vocabulary do not count: they are frozen, or a step moves the few that occur in it. Layers that
    share their weights, as ALBERT's, count as layers of their own: a step moves each of them.
    """
    rows = {id(row) for row in vocabulary(model).parameters()}
    learn = sum(p.numel() for p in model.base_model.parameters() if id(p) not in rows)
    config = model.config
    return int(learn * config.num_hidden_layers / getattr(config, "num_hidden_groups", config.num_hidden_layers))


def output_size(model: Any, tokenizer: Any, texts: Sequence[str]) -> float:
    """Sum of the absolute values that the head sees of a token, in the mean over the beginnings of a few texts."""
    read = tokenizer(
        list(texts[:_TEXTS]), truncation=True, max_length=_TOKENS, padding=True, return_tensors="pt", verbose=False
    )
    training = model.training
    with torch.no_grad():
        outputs = model.eval().base_model(input_ids=read["input_ids"], attention_mask=read["attention_mask"])[0]
    model.train(training)
    return float(f"{outputs[read['attention_mask'].bool()].abs().sum(-1).mean().item():.2e}")  # alike on every process


def head_ratio(model: Any, config: "TrainingConfig", outputs: float) -> float:
    """The head's learning rate over the encoder's: what is asked for, or by the size of the encoder's outputs.

    Encoders differ in it by several times: with a rate that suits one, the head of another has learnt nothing when the
    steps of a few records are over.
    """
    if config.head_learning_rate_ratio:
        return config.head_learning_rate_ratio
    low, high = _RATIOS
    return min(high, max(low, HEAD_STEP / (outputs * _rate_by_weights(model))))


def parameter_groups(model: Any, config: "TrainingConfig", outputs: float) -> list[dict[str, Any]]:
    """Groups for AdamW: what is new (the head, the surface of words) learns faster, biases and norms do not decay.

    Args:
        model: What is trained.
        config: How.
        outputs: Of `output_size`.

    Returns:
        Groups with `params`, `lr`, `peak` (the rate that the schedule scales) and `weight_decay`.
    """
    rate, ratio = learning_rate(model, config), head_ratio(model, config, outputs)
    fresh = head_parameters(model) | surface_parameters(model)
    groups: dict[tuple[float, float], list[Any]] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        peak = rate * ratio if name in fresh else rate
        decay = config.weight_decay if parameter.ndim > 1 else 0.0
        groups.setdefault((peak, decay), []).append(parameter)
    return [{"params": p, "lr": peak, "peak": peak, "weight_decay": decay} for (peak, decay), p in groups.items()]
