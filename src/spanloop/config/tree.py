"""The whole configuration as one tree: `spanloop.yaml`, `SPANLOOP_…` variables, and the form in the Prefect UI.

Every field has a description and bounds, because the form and the commented `spanloop.yaml` are drawn from them.
No field holds a secret: `argilla.api_key_env` and `argilla.api_key_block` name the place where the key is kept.
Training fields are named as in `transformers.TrainingArguments`.
"""

from operator import attrgetter

from pydantic import Field, field_validator, model_validator

from spanloop.config.annotating import AnnotationConfig, ArgillaConfig, ColumnsConfig, TaskConfig
from spanloop.config.keeping import RetentionConfig
from spanloop.config.modelling import GateConfig, RoundConfig, ScoringConfig, TrainingConfig
from spanloop.config.section import Section
from spanloop.config.selecting import SelectionConfig, of_selection
from spanloop.config.splitting import SplitConfig, Splits


class HubConfig(Section):
    """Where snapshots are published beside the store."""

    push_to_hub: str = Field("", description="Dataset id on the Hugging Face Hub; empty: snapshots stay in the store.")
    private: bool = Field(True, description="Create the Hub dataset as private.")


class LoopConfig(Section):
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
    retention: RetentionConfig = Field(default_factory=RetentionConfig, description="What is kept, and how long.")
    hub: HubConfig = Field(default_factory=HubConfig, description="Publishing on the Hugging Face Hub.")

    @field_validator("store")
    @classmethod
    def _store_can_be_a_folder(cls, store: str) -> str:
        if "\0" in store:
            raise ValueError("no path holds U+0000; name a folder")
        return store

    def is_blind(self, group: str, dealing: Splits | None = None) -> bool:
        """Whether people annotate the records of a group without seeing what a model makes of them.

        Args:
            group: The group.
            dealing: Knows the groups that were dealt before; None: none were.
        """
        return self.task.blind_held_out and (dealing or self.splits).split_of(group) != "train"

    @model_validator(mode="after")
    def _strategy_has_what_it_needs(self) -> "LoopConfig":
        strategy = self.selection.strategy
        if needed := of_selection("lookup").find_strategy(strategy).needs:
            try:
                value = attrgetter(needed)(self)
            except AttributeError:
                raise ValueError(f"selection.strategy {strategy} needs {needed}, which is no setting") from None
            if not value:
                raise ValueError(f"selection.strategy {strategy} needs {needed}, which is {value!r}; set it")
        return self
