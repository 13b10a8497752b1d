"""Settings of training and scoring where pydantic is not installed: the fields and defaults of `spanloop.config`.

A test holds them to those.
"""

from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from typing import Any, Self


class _Plain:
    """What the library asks of a section of the configuration."""

    def model_dump(self, exclude: Collection[str] = ()) -> dict[str, Any]:
        """The settings by name."""
        settings: dict[str, Any] = asdict(self)  # type: ignore[call-overload]
        return {name: value for name, value in settings.items() if name not in exclude}

    def model_copy(self, update: dict[str, Any]) -> Self:
        """The settings with some of them replaced."""
        copy: Self = replace(self, **update)  # type: ignore[type-var]
        return copy


@dataclass(frozen=True)
class PlainTraining(_Plain):
    """As `TrainingConfig`."""

    model_name_or_path: str = "FacebookAI/roberta-base"
    start_from: str = "base"
    seed: int = 0
    learning_rate: float = 0.0
    head_learning_rate_ratio: float = 0.0
    num_train_epochs: int = 10
    min_steps: int = 150
    warmup_ratio: float = 0.1
    weight_decay: float = 0.01
    max_grad_norm: float = 1.0
    per_device_train_batch_size: int = 8
    max_tokens_per_batch: int = 4096
    gradient_accumulation_steps: int = 1
    max_length: int = 256
    stride: int = 64
    label_subwords: str = "all"
    surface_features: bool = True
    freeze_embeddings: bool = True
    class_weighting: str = "none"
    folds: int = 2
    mixed_precision: str = "auto"
    num_processes: int = 0
    report_to: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlainScoring(_Plain):
    """As `ScoringConfig`."""

    max_tokens_per_batch: int = 0
    backend: str = "torch"
    min_score: float = 0.0
    mc_dropout_passes: int = 0
    max_records: int = 0
