"""Find or create the Argilla dataset of a configuration, and say where its parts are."""

from dataclasses import dataclass
from typing import Any

from spanloop.argilla import schema
from spanloop.argilla.client import ArgillaClient
from spanloop.config import LoopConfig, TaskConfig
from spanloop.errors import ArgillaError, ConfigError, LabelError

_MAX_GUIDELINES = 10_000


@dataclass(frozen=True, slots=True)
class DatasetRef:
    """A published dataset in Argilla.

    Attributes:
        id: Argilla's id of the dataset.
        name: Its name.
        workspace_id: Argilla's id of its workspace.
        text_field: Name of the field with the text.
        question: Name of the span question.
        question_id: Argilla's id of that question.
        labels: The question's labels, in the order in which annotators see them.
        allow_overlapping: May annotators mark overlapping spans?
    """

    id: str
    name: str
    workspace_id: str
    text_field: str
    question: str
    question_id: str
    labels: tuple[str, ...]
    allow_overlapping: bool


def queue_link(api_url: str, dataset_id: str) -> str:
    """The page that annotators work on: pending records, highest priority first.

    Without the sort in the address, Argilla shows every annotator a random order.
    """
    path = f"dataset/{dataset_id}/annotation-mode"
    return f"{api_url.rstrip('/')}/{path}?page=1&status=pending&sort=metadata.{schema.PRIORITY}.desc"


def find_dataset(client: ArgillaClient, config: LoopConfig) -> DatasetRef:
    """The dataset of the configuration, as it is.

    Raises:
        ArgillaError: There is no such dataset, it is half made, or it lacks the field or the question.
        LabelError: Its labels are not those of the configuration.
    """
    names = config.argilla
    workspace = _workspace(client, names.workspace)
    found = _named(client, workspace["id"], names.dataset) if workspace else None
    if found is None or found["status"] != "ready":
        state = "is not ready" if found else "does not exist"
        raise ArgillaError(
            f"dataset {names.dataset!r} {state} in workspace {names.workspace!r} at {client.url}; "
            "'spanloop import FILE' creates it"
        )
    return _reference(client, found, config.task)


def ensure_dataset(client: ArgillaClient, config: LoopConfig) -> DatasetRef:
    """The dataset of the configuration, created if missing and completed if half made.

    Guidelines, the number of responses and the order of the labels follow the configuration.

    Raises:
        ConfigError: The configuration names no label.
        LabelError: The dataset's labels are not those of the configuration.
        ArgillaError: It lacks the field or the question, or Argilla refused something.
    """
    task = config.task
    if not task.labels:
        raise ConfigError("task.labels is empty; name the span labels in spanloop.yaml, e.g. labels: [person, place]")
    if len(task.guidelines) > _MAX_GUIDELINES:
        raise ConfigError(f"task.guidelines has {len(task.guidelines)} characters; Argilla takes {_MAX_GUIDELINES}")
    workspace = _ensure_workspace(client, config.argilla.workspace)
    dataset = _ensure_named(client, workspace["id"], config)
    path = f"datasets/{dataset['id']}"
    if dataset["status"] == "draft":
        _ensure_part(client, f"{path}/fields", schema.text_field(task))
        _ensure_part(client, f"{path}/questions", schema.span_question(task))
    for wanted in schema.metadata_properties():
        _ensure_part(client, f"{path}/metadata-properties", wanted, listed=f"me/{path}/metadata-properties")
    if dataset["status"] == "draft":
        _publish(client, path)
    reference = _reference(client, dataset, task)
    _follow(client, dataset, reference, task)
    return reference


def _workspace(client: ArgillaClient, name: str) -> dict[str, Any] | None:
    return _by_name(client.get("me/workspaces"), name)


def _ensure_workspace(client: ArgillaClient, name: str) -> dict[str, Any]:
    def find() -> dict[str, Any] | None:
        return _workspace(client, name)

    return find() or dict(client.create("workspaces", {"name": name}, find))


def _named(client: ArgillaClient, workspace_id: str, name: str) -> dict[str, Any] | None:
    return _by_name(client.get("me/datasets", workspace_id=workspace_id), name)


def _ensure_named(client: ArgillaClient, workspace_id: str, config: LoopConfig) -> dict[str, Any]:
    name, task = config.argilla.dataset, config.task

    def find() -> dict[str, Any] | None:
        return _named(client, workspace_id, name)

    body = {
        "name": name,
        "workspace_id": workspace_id,
        "guidelines": task.guidelines or None,
        "allow_extra_metadata": True,
        "distribution": schema.distribution(task),
    }
    return find() or dict(client.create("datasets", body, find))


def _ensure_part(client: ArgillaClient, path: str, wanted: dict[str, Any], listed: str = "") -> None:
    """Create a field, question or metadata property unless one of that name is there."""

    def find() -> dict[str, Any] | None:
        return _by_name(client.get(listed or path), wanted["name"])

    if find() is None:
        client.create(path, wanted, find)


def _publish(client: ArgillaClient, path: str) -> None:
    try:
        client.put(f"{path}/publish")
    except ArgillaError:
        if client.get(path)["status"] != "ready":  # else: a repeated request met its own work
            raise


def _reference(client: ArgillaClient, dataset: dict[str, Any], task: TaskConfig) -> DatasetRef:
    """Check the question of the dataset against the configuration."""
    question = _by_name(client.get(f"datasets/{dataset['id']}/questions"), task.question)
    settings = question["settings"] if question else {}
    if question is None or settings.get("type") != "span" or settings.get("field") != task.text_field:
        raise ArgillaError(
            f"dataset {dataset['name']!r} has no span question {task.question!r} over the field {task.text_field!r}; "
            "set task.question and task.text_field to its names, or argilla.dataset to a new one"
        )
    labels = tuple(option["value"] for option in settings["options"])
    _check_labels(dataset["name"], labels, task.labels)
    return DatasetRef(
        id=dataset["id"],
        name=dataset["name"],
        workspace_id=dataset["workspace_id"],
        text_field=task.text_field,
        question=task.question,
        question_id=question["id"],
        labels=labels,
        allow_overlapping=settings["allow_overlapping"],
    )


def _check_labels(dataset: str, there: tuple[str, ...], wanted: list[str]) -> None:
    """Argilla never changes the labels of a published question, so a difference needs a person to decide."""
    new, gone = sorted(set(wanted) - set(there)), sorted(set(there) - set(wanted))
    if new or gone:
        parts = [f"not in Argilla: {', '.join(new)}"] * bool(new) + [f"only in Argilla: {', '.join(gone)}"] * bool(gone)
        raise LabelError(
            f"task.labels differ from dataset {dataset!r} ({'; '.join(parts)}); Argilla cannot change them: "
            f"restore task.labels, or choose a new argilla.dataset and import again"
        )


def _follow(client: ArgillaClient, dataset: dict[str, Any], reference: DatasetRef, task: TaskConfig) -> None:
    """Bring what Argilla can change in a published dataset to the configuration."""
    changes: dict[str, Any] = {}
    if task.guidelines and dataset["guidelines"] != task.guidelines:
        changes["guidelines"] = task.guidelines
    if dataset["distribution"]["min_submitted"] != task.min_submitted:
        changes["distribution"] = schema.distribution(task)
    if changes:
        client.patch(f"datasets/{dataset['id']}", changes)
    widened = task.allow_overlapping and not reference.allow_overlapping
    if reference.allow_overlapping and not task.allow_overlapping:
        raise ConfigError(
            f"dataset {dataset['name']!r} allows overlapping spans and Argilla cannot forbid them later; "
            "set task.allow_overlapping to true"
        )
    if widened or list(reference.labels) != task.labels:
        settings = schema.span_question(task)["settings"]
        kept = {key: settings[key] for key in ("type", "allow_overlapping", "options")}
        client.patch(f"questions/{reference.question_id}", {"settings": kept})


def _by_name(listing: dict[str, Any], name: str) -> dict[str, Any] | None:
    return next((item for item in listing["items"] if item["name"] == name), None)
