"""What a dataset of ours looks like in Argilla: names and settings, nothing sent yet."""

from typing import Any, Literal

from spanloop.config import TaskConfig

Property = Literal["group", "split", "priority", "uncertainty", "model_version"]

GROUP: Property = "group"
SPLIT: Property = "split"
PRIORITY: Property = "priority"
UNCERTAINTY: Property = "uncertainty"
MODEL_VERSION: Property = "model_version"

# Annotators see what they sort and filter by; not the split nor the model's doubts, which could sway them.
_PROPERTIES: dict[Property, tuple[str, str, bool]] = {
    GROUP: ("Document", "terms", True),
    PRIORITY: ("Priority", "float", True),
    SPLIT: ("Split", "terms", False),
    UNCERTAINTY: ("Uncertainty", "float", False),
    MODEL_VERSION: ("Model version", "terms", False),
}


def text_field(task: TaskConfig) -> dict[str, Any]:
    """The field with the text."""
    settings = {"type": "text", "use_markdown": False}
    return {"name": task.text_field, "title": task.text_field.capitalize(), "required": True, "settings": settings}


def span_question(task: TaskConfig) -> dict[str, Any]:
    """The span question over that field."""
    settings = {
        "type": "span",
        "field": task.text_field,
        "allow_overlapping": task.allow_overlapping,
        "allow_character_annotation": True,
        "options": options(task.labels),
    }
    return {"name": task.question, "title": task.question.capitalize(), "required": True, "settings": settings}


def options(labels: list[str]) -> list[dict[str, str]]:
    """The labels as Argilla's options."""
    return [{"value": label, "text": label} for label in labels]


def metadata_properties() -> list[dict[str, Any]]:
    """The metadata that every record may carry."""
    return [
        {"name": name, "title": title, "settings": {"type": kind}, "visible_for_annotators": visible}
        for name, (title, kind, visible) in _PROPERTIES.items()
    ]


def distribution(task: TaskConfig) -> dict[str, Any]:
    """How many submitted responses complete a record."""
    return {"strategy": "overlap", "min_submitted": task.min_submitted}
