"""The whole configuration as one tree: `spanloop.yaml`, `SPANLOOP_…` variables, and the form in the Prefect UI.

Every field has a description and bounds, because the form and the commented `spanloop.yaml` are drawn from them.
No field holds a secret: `argilla.api_key_env` and `argilla.api_key_block` name the place where the key is kept.
Training fields are named as in `transformers.TrainingArguments`.
"""

from collections.abc import Callable
from importlib import import_module
from operator import attrgetter
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from spanloop.errors import ConfigError


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_default=True, protected_namespaces=())


Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
LabelName = Annotated[str, Field(min_length=1, max_length=100)]


class ArgillaConfig(_Section):
    """Where people annotate."""

    api_url: str = Field("http://127.0.0.1:6900", pattern=r"^https?://", description="Address of the Argilla server.")
    api_key_env: str = Field("ARGILLA_API_KEY", description="Environment variable that holds the API key.")
    api_key_block: str = Field("", description="Prefect Secret block with the API key, where the variable has none.")
    workspace: str = Field("spanloop", min_length=1, max_length=200, description="Workspace; created if missing.")
    dataset: str = Field("spans", min_length=1, max_length=200, description="Argilla dataset that is annotated.")
    timeout_seconds: float = Field(60.0, gt=0, le=600, description="Longest wait for one answer of the server.")
    foreign_suggestions: Literal["replace", "keep"] = Field(
        "replace",
        description="Suggestions of another tool or store: replaced by the model's, or kept and only ordered.",
    )


class TaskConfig(_Section):
    """What is annotated, and how it appears in Argilla."""

    labels: list[LabelName] = Field(
        default_factory=list, max_length=200, description="Span labels, in the order in which annotators see them."
    )
    guidelines: str = Field("", description="Guidelines that annotators see, in markdown.")
    text_field: str = Field("text", pattern=r"^[a-z0-9_-]+$", description="Name of the Argilla field with the text.")
    question: str = Field("entities", pattern=r"^[a-z0-9_-]+$", description="Name of the Argilla span question.")
    allow_overlapping: bool = Field(False, description="May annotators mark overlapping spans?")
    min_submitted: int = Field(1, ge=1, le=50, description="Submitted responses that complete a record.")

    @model_validator(mode="after")
    def _labels_are_unique(self) -> "TaskConfig":
        if twice := sorted({x for x in self.labels if self.labels.count(x) > 1}):
            raise ValueError(f"labels: {twice[0]!r} stands twice; every label once")
        return self


class ColumnsConfig(_Section):
    """Which columns of an imported file hold what."""

    text: str = Field("text", min_length=1, description="Column with the text.")
    id: list[str] = Field(
        default_factory=lambda: ["id"],
        description="Columns that together identify a record, joined by '/'; absent: a hash of group and text.",
    )
    group: str = Field("group", description="Column with the document a record belongs to; absent: the record itself.")
    spans: str = Field("spans", description="Column with spans (start, end, label), where the file is annotated.")


class AnnotationConfig(_Section):
    """How the responses of several annotators become one annotation."""

    strategy: Literal["latest", "majority", "intersection"] = Field(
        "latest",
        description="latest: the response changed last; majority: spans marked by more than half of the annotators; "
        "intersection: spans marked by all.",
    )
    overlaps: Literal["longest", "first", "error"] = Field(
        "longest", description="Which span stays where spans overlap: the longest, the first, or none: the round stops."
    )
    whitespace: Literal["trim", "keep"] = Field(
        "trim", description="White space that annotators marked at the edges of a span: taken off, or kept as marked."
    )


class SplitConfig(_Section):
    """How records are dealt to train, validation and test, by the hash of their group."""

    seed: int = Field(0, ge=0, description="Seed of the split; changing it later mixes training into test records.")
    validation: float = Field(0.1, ge=0.0, le=0.5, description="Share of the groups for validation; trained on too.")
    test: float = Field(0.1, ge=0.0, le=0.5, description="Share of the groups for the test.")

    @model_validator(mode="after")
    def _training_is_left(self) -> "SplitConfig":
        if self.validation + self.test > 0.8:
            raise ValueError("splits: validation + test leave less than 0.2 for training; lower one of them")
        return self


class RoundConfig(_Section):
    """When a round has enough to work with."""

    min_train: int = Field(20, ge=1, description="Annotated training records needed before a model is trained.")
    min_validation: int = Field(0, ge=0, description="Annotated validation records needed before a model is trained.")
    min_test: int = Field(5, ge=1, description="Annotated test records needed before a model is judged.")
    min_new: int = Field(1, ge=1, description="Records added or changed since the last round that make a new round.")


class TrainingConfig(_Section):
    """How the token classifier is trained."""

    model_name_or_path: str = Field(
        "FacebookAI/roberta-base", min_length=1, description="Encoder: a model id of the Hugging Face Hub or a folder."
    )
    start_from: Literal["base", "champion"] = Field(
        "base", description="Start each training from the base encoder, or from the model in service."
    )
    seed: int = Field(0, ge=0, description="Seed of weights, order and dropout.")
    learning_rate: float = Field(0.0, ge=0, le=0.1, description="Peak learning rate; 0: by the weights that learn.")
    head_learning_rate_ratio: float = Field(10.0, ge=1, le=100, description="Head's learning rate over the encoder's.")
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


class GateConfig(_Section):
    """When a challenger replaces the champion."""

    margin: Fraction = Field(
        0.02, description="A challenger truly worse by this much F1 must not go into service; 0.02: 2 points."
    )
    max_risk: float = Field(0.03, gt=0.0, lt=1.0, description="Greatest chance of that; a higher F1 is needed too.")
    samples: int = Field(1000, ge=1000, le=100_000, description="Bootstrap samples.")
    seed: int = Field(0, ge=0, description="Seed of the bootstrap.")


class ScoringConfig(_Section):
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


def _selection(module: str) -> Any:
    """A module of the room above that knows what may stand in `selection`; imported when a configuration is read."""
    return import_module(f"spanloop.selection.{module}")


def _described(more: Callable[[], str]) -> Callable[[dict[str, Any]], None]:
    """Add to a field's description what is known when the schema is drawn."""
    return lambda schema: schema.update(description=f"{schema['description']} {more()}")


def _known_strategies() -> str:
    return f"One of {', '.join(_selection('strategies').STRATEGIES)}, or your own as my_package:my_function."


def _known_steps() -> str:
    steps = _selection("reranking").STEPS.items()
    return " ".join(f"({name}) {(step.__doc__ or '').partition(chr(10))[0]}" for name, step in steps)


class SelectionConfig(_Section):
    """Which pending records annotators see first."""

    strategy: str = Field(
        "mnlp",
        description="Query strategy: how informative a record is judged from the scoring pass.",
        json_schema_extra=_described(_known_strategies),
    )
    seed: int = Field(0, ge=0, description="Seed of every random choice of the selection.")
    held_out_share: Fraction = Field(
        0.2, description="Share of the queue that comes from the validation and test splits, at random."
    )
    steps: dict[str, Fraction] = Field(
        default_factory=dict,
        description="What else counts, and how much, e.g. {duplicates: 0.9}; 0 or absent: not at all.",
        json_schema_extra=_described(_known_steps),
    )

    @field_validator("strategy")
    @classmethod
    def _strategy_is_there(cls, strategy: str, info: ValidationInfo) -> str:
        lookup = _selection("lookup")
        if folder := (info.context or {}).get("folder"):
            strategy = lookup.beside(strategy, folder)
        try:
            lookup.find_strategy(strategy)
        except ConfigError as error:
            raise ValueError(str(error)) from None
        return strategy

    @field_validator("steps")
    @classmethod
    def _steps_are_there(cls, steps: dict[str, float]) -> dict[str, float]:
        known = _selection("reranking").STEPS
        if unknown := sorted(steps.keys() - known.keys()):
            raise ValueError(f"there is no step {unknown[0]!r}; there are {', '.join(known)}")
        return steps


class HubConfig(_Section):
    """Where snapshots are published beside the store."""

    push_to_hub: str = Field("", description="Dataset id on the Hugging Face Hub; empty: snapshots stay in the store.")
    private: bool = Field(True, description="Create the Hub dataset as private.")


class LoopConfig(_Section):
    """Configuration of one active-learning loop."""

    store: str = Field("store", min_length=1, description="Folder of snapshots, models and rounds.")
    argilla: ArgillaConfig = Field(default_factory=ArgillaConfig, description="Where people annotate.")
    task: TaskConfig = Field(default_factory=TaskConfig, description="What is annotated.")
    columns: ColumnsConfig = Field(default_factory=ColumnsConfig, description="Columns of imported files.")
    annotations: AnnotationConfig = Field(default_factory=AnnotationConfig, description="Responses to annotations.")
    splits: SplitConfig = Field(default_factory=SplitConfig, description="Train, validation, test.")
    round: RoundConfig = Field(default_factory=RoundConfig, description="When a round has enough to work with.")
    training: TrainingConfig = Field(default_factory=TrainingConfig, description="How models are trained.")
    gate: GateConfig = Field(default_factory=GateConfig, description="When a model goes into service.")
    scoring: ScoringConfig = Field(default_factory=ScoringConfig, description="How pending records are scored.")
    selection: SelectionConfig = Field(default_factory=SelectionConfig, description="Which records come first.")
    hub: HubConfig = Field(default_factory=HubConfig, description="Publishing on the Hugging Face Hub.")

    @model_validator(mode="after")
    def _strategy_has_what_it_needs(self) -> "LoopConfig":
        strategy = self.selection.strategy
        if needed := _selection("lookup").find_strategy(strategy).needs:
            try:
                value = attrgetter(needed)(self)
            except AttributeError:
                raise ValueError(f"selection.strategy {strategy} needs {needed}, which is no setting") from None
            if not value:
                raise ValueError(f"selection.strategy {strategy} needs {needed}, which is {value!r}; set it")
        return self
