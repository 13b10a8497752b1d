"""Settings of the models: when one is trained, how, when it goes into service, and how it scores."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from spanloop.config.section import Fraction, Section


class RoundConfig(Section):
    """When a round has enough to work with."""

    min_train: int = Field(20, ge=1, description="Annotated training records needed before a model is trained.")
    min_validation: int = Field(0, ge=0, description="Annotated validation records needed before a model is trained.")
    min_test: int = Field(5, ge=1, description="Annotated test records needed before a model is judged.")
    min_new: int = Field(1, ge=1, description="Records added or changed since the last round that make a new round.")


class TrainingConfig(Section):
    """How the token classifier is trained."""

    model_name_or_path: str = Field(
        "FacebookAI/roberta-base", min_length=1, description="Encoder: a model id of the Hugging Face Hub or a folder."
    )
    start_from: Literal["base", "champion"] = Field(
        "base", description="Start each training from the base encoder, or from the model in service."
    )
    seed: int = Field(0, ge=0, description="Seed of weights, order and dropout.")
    learning_rate: float = Field(0.0, ge=0, le=0.1, description="Peak learning rate; 0: by the weights that learn.")
    head_learning_rate_ratio: float = Field(
        0.0,
        ge=0,
        le=100,
        description="Head's learning rate over the encoder's; 0: by the size of the encoder's outputs.",
    )
    num_train_epochs: int = Field(10, ge=1, le=1000, description="Passes over the records.")
    min_steps: int = Field(150, ge=0, description="Fewest update steps, however few the records.")
    warmup_ratio: Fraction = Field(0.1, description="Share of the steps in which the learning rate rises.")
    weight_decay: float = Field(0.01, ge=0, le=1, description="Weight decay, not applied to biases and norms.")
    max_grad_norm: float = Field(1.0, gt=0, description="Gradients are clipped to this norm.")
    per_device_train_batch_size: int = Field(
        8,
        ge=1,
        le=4096,
        description="Windows of a batch on each device; a step has them on all devices, for each accumulated batch.",
    )
    max_tokens_per_batch: int = Field(4096, ge=64, description="Most tokens in a batch, padding included.")
    gradient_accumulation_steps: int = Field(1, ge=1, le=1024, description="Batches an update step, on each device.")
    max_length: int = Field(256, ge=16, le=8192, description="Subword tokens a window; long texts get several.")
    stride: int = Field(64, ge=0, description="Subword tokens that neighbouring windows share.")
    label_subwords: Literal["first", "all"] = Field(
        "all", description="Which subwords of a word carry its label in training; it is read off the first."
    )
    surface_features: bool = Field(
        True, description="Show the encoder, as token types, what its tokenizer drops: capital letters, white space."
    )
    freeze_embeddings: bool = Field(
        True, description="Keep the encoder's token embeddings as they are: faster, and words not seen stay in place."
    )
    class_weighting: Literal["none", "inverse_sqrt"] = Field(
        "none", description="Weight of a label in the loss: equal, or by the inverse square root of its frequency."
    )
    folds: int = Field(
        2,
        ge=0,
        le=20,
        description="Parts of the records, each predicted by a model trained on the others: calibrates probabilities. "
        "0: none; each part trains once more: with 2, training takes three times as long.",
    )
    mixed_precision: Literal["auto", "no", "bf16", "fp16"] = Field(
        "auto", description="Number format of the forward pass; auto: what the device does fast."
    )
    num_processes: int = Field(0, ge=0, le=64, description="Training processes; 0: one a device.")
    report_to: list[Literal["tensorboard", "trackio"]] = Field(
        default_factory=list, description="Experiment trackers that get the training curves."
    )

    @model_validator(mode="after")
    def _stride_fits(self) -> "TrainingConfig":
        if self.stride > self.max_length // 2:
            raise ValueError(f"training: stride {self.stride} exceeds half of max_length {self.max_length}; lower it")
        return self


class GateConfig(Section):
    """When a challenger replaces the champion."""

    margin: Fraction = Field(
        0.02, description="A challenger truly worse by this much F1 must not go into service; 0.02: 2 points."
    )
    max_risk: float = Field(0.03, gt=0.0, lt=1.0, description="Greatest chance of that; a higher F1 is needed too.")
    samples: int = Field(1000, ge=1000, le=100_000, description="Bootstrap samples.")
    seed: int = Field(0, ge=0, description="Seed of the bootstrap.")


class ScoringConfig(Section):
    """How pending records are scored."""

    max_tokens_per_batch: int = Field(
        0, ge=0, le=1_000_000, description="Most tokens in a forward pass, padding included; 0: what suits the device."
    )
    backend: Literal["torch", "int8"] = Field(
        "torch", description="int8: faster on CPUs at a small loss of F1; ignored on other devices."
    )
    min_score: Fraction = Field(
        0.0, description="Spans below this probability are left out; 0: below what is best for F1, judged in training."
    )
    mc_dropout_passes: int = Field(
        0, ge=0, le=100, description="Further passes with dropout on, for the statistic bald; 0: none, 2 or more count."
    )
    max_records: int = Field(0, ge=0, description="Most pending records scored in a round; 0: all.")

    @field_validator("mc_dropout_passes")
    @classmethod
    def _passes_can_disagree(cls, passes: int) -> int:
        if passes == 1:
            raise ValueError("one pass cannot disagree with itself; set 0, or 2 or more (5 are a start)")
        return passes
