"""What a dataset of ours looks like in Argilla, in the words of its SDK."""

from typing import TYPE_CHECKING, Literal

from spanloop.config import TaskConfig
from spanloop.errors import ConfigError

if TYPE_CHECKING:
    import argilla as rg

Property = Literal["group", "split", "priority", "uncertainty", "model_version", "suspicion"]

GROUP: Property = "group"
SPLIT: Property = "split"
PRIORITY: Property = "priority"
UNCERTAINTY: Property = "uncertainty"
MODEL_VERSION: Property = "model_version"
SUSPICION: Property = "suspicion"
WRITTEN: frozenset[Property] = frozenset({PRIORITY, UNCERTAINTY, MODEL_VERSION})
"""By a round; `suspicion` by a review, the others come with the import."""


def dataset_settings(task: TaskConfig, sdk: "rg.Argilla") -> "rg.Settings":
    """Field, question and metadata of a dataset; without the guidelines, for which the SDK would look in a file.

    Args:
        task: What is annotated.
        sdk: The client that the parts belong to.

    Raises:
        ConfigError: The SDK cannot carry a field or a question of that name.
    """
    import argilla as rg

    field = rg.TextField(name=task.text_field, title=task.text_field.capitalize(), client=sdk)
    question = rg.SpanQuestion(
        name=task.question,
        title=task.question.capitalize(),
        field=task.text_field,
        labels=task.labels,
        allow_overlapping=task.allow_overlapping,
        client=sdk,
    )
    # Annotators see what they sort and filter by; not the split nor how unsure the model is, which could sway them.
    metadata = [
        rg.TermsMetadataProperty(GROUP, title="Document", client=sdk),
        rg.FloatMetadataProperty(PRIORITY, title="Priority", client=sdk),
        rg.FloatMetadataProperty(SUSPICION, title="Suspicion", client=sdk),
        rg.TermsMetadataProperty(SPLIT, title="Split", visible_for_annotators=False, client=sdk),
        rg.FloatMetadataProperty(UNCERTAINTY, title="Uncertainty", visible_for_annotators=False, client=sdk),
        rg.TermsMetadataProperty(MODEL_VERSION, title="Model version", visible_for_annotators=False, client=sdk),
    ]
    try:
        return rg.Settings(
            fields=[field],
            questions=[question],
            metadata=metadata,
            allow_extra_metadata=True,
            distribution=rg.TaskDistribution(min_submitted=task.min_submitted),
        )
    except ValueError as error:
        raise ConfigError(f"task.text_field, task.question: {error}; choose another name") from None
