"""Find or create the Argilla dataset of a configuration, and say where its parts are."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from spanloop.argilla.client import ArgillaClient
from spanloop.argilla.meanings import Meanings, follow_labels, meanings_of
from spanloop.argilla.shape import dataset_settings
from spanloop.config import LoopConfig, TaskConfig
from spanloop.errors import ArgillaError, ConfigError

if TYPE_CHECKING:
    import argilla as rg

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
        labels: The project's labels, in the order in which annotators see them.
        allow_overlapping: May annotators mark overlapping spans?
        min_submitted: Submitted responses that complete a record.
        active_at: When somebody last answered, ISO 8601.
        meanings: What the question's options mean.
    """

    id: str
    name: str
    workspace_id: str
    text_field: str
    question: str
    question_id: str
    labels: tuple[str, ...]
    allow_overlapping: bool
    min_submitted: int
    active_at: str = field(default="", compare=False)
    meanings: Meanings = field(default_factory=Meanings)


def find_dataset(client: ArgillaClient, config: LoopConfig) -> DatasetRef:
    """The dataset of the configuration, as it is.

    Raises:
        ArgillaError: There is no such dataset, it is half made, or it lacks the field or the question.
        LabelError: Its labels are not those of the configuration.
    """
    return in_labels(dataset_as_it_is(client, config), config.task)


def in_labels(dataset: DatasetRef, task: TaskConfig) -> DatasetRef:
    """A dataset as it is, in the labels of the project.

    Raises:
        LabelError: Some have no option, or options no meaning; names the ways out.
    """
    meanings, differences = meanings_of(dataset.labels, task)
    differences.refuse(dataset.name)
    return replace(dataset, labels=tuple(task.labels), meanings=meanings)


def dataset_as_it_is(client: ArgillaClient, config: LoopConfig) -> DatasetRef:
    """The dataset of the configuration with its question's options for labels, whatever they mean.

    Raises:
        ArgillaError: There is no such dataset, it is half made, or it lacks the field or the question.
    """
    from spanloop.argilla.sdk import sdk_errors

    with sdk_errors(client.url):
        return _reference(client, _find_ready(client, config), config.task)[0]


def _find_ready(client: ArgillaClient, config: LoopConfig) -> Any:
    """The SDK's model of the published dataset."""
    names = config.argilla
    workspace = find_workspace(client, names.workspace)
    found = _find(client, workspace, names.dataset) if workspace else None
    if found is None or found.status != "ready":
        state = "is not ready" if found else "does not exist"
        raise ArgillaError(
            f"dataset {names.dataset!r} {state} in workspace {names.workspace!r} at {client.url}; "
            "'spanloop import FILE' creates it"
        )
    return found


def ensure_dataset(client: ArgillaClient, config: LoopConfig) -> DatasetRef:
    """The dataset of the configuration, created if missing and completed if half made.

    Guidelines, the number of responses and the order of the labels follow the configuration.

    Raises:
        ConfigError: The configuration names no label.
        LabelError: The dataset's labels are not those of the configuration.
        ArgillaError: It lacks the field or the question, or Argilla refused something.
    """
    from spanloop.argilla.sdk import sdk_errors

    task = config.task
    if not task.labels:
        raise ConfigError("task.labels is empty; name the span labels in spanloop.yaml, e.g. labels: [person, place]")
    if len(task.guidelines) > _MAX_GUIDELINES:
        raise ConfigError(f"task.guidelines has {len(task.guidelines)} characters; Argilla takes {_MAX_GUIDELINES}")
    with sdk_errors(client.url):
        settings = dataset_settings(task, client.sdk)
        workspace = _ensure_workspace(client, config.argilla.workspace)
        found = _ensure_draft(client, workspace, config, settings)
        _ensure_parts(client, found, settings)
        as_it_is, question = _reference(client, found, task)
        reference = in_labels(as_it_is, task)
        _follow(client, found, question, task)
    follow_labels(client, reference.id, reference.question_id, task)
    return reference


def find_workspace(client: ArgillaClient, name: str) -> "rg.Workspace | None":
    """The workspace of that name, known to the SDK by its id: it refuses names with a space, Argilla does not."""
    found = next((x for x in client.get("me/workspaces")["items"] if x["name"] == name), None)
    return workspace_handle(client, found["id"]) if found else None


def workspace_handle(client: ArgillaClient, workspace_id: str) -> "rg.Workspace":
    """A workspace in the SDK's hands, with its id for a name."""
    import argilla as rg

    return rg.Workspace(name=workspace_id, id=UUID(workspace_id), client=client.sdk)


def _ensure_workspace(client: ArgillaClient, name: str) -> "rg.Workspace":
    import argilla as rg

    def find() -> "rg.Workspace | None":
        return find_workspace(client, name)

    return find() or client.once(lambda: rg.Workspace(name=name, client=client.sdk).create(), find)


def _find(client: ArgillaClient, workspace: "rg.Workspace", name: str) -> Any:
    """The SDK's model of the dataset; None if there is none. The SDK strips names, when it writes and when it reads."""
    return client.sdk.api.datasets.get_by_name_and_workspace_id(name.strip(), workspace.id)


def _ensure_draft(client: ArgillaClient, workspace: "rg.Workspace", config: LoopConfig, settings: "rg.Settings") -> Any:
    """The SDK's model of the dataset, which may still lack its parts.

    `rg.Dataset.create` would make all of it at once, and delete it when one of its requests fails, which is no sign
    that the server did not do the work.
    """
    import argilla as rg

    name, sdk = config.argilla.dataset, client.sdk

    def find() -> Any:
        return _find(client, workspace, name)

    if found := find():
        return found
    draft = rg.Dataset(name, workspace=workspace, client=sdk).api_model()
    draft.guidelines = config.task.guidelines.strip() or None
    draft.allow_extra_metadata = settings.allow_extra_metadata
    draft.distribution = settings.distribution.to_dict()
    return client.once(lambda: sdk.api.datasets.create(draft), find)


def _ensure_parts(client: ArgillaClient, found: Any, settings: "rg.Settings") -> None:
    """Create what a half-made dataset lacks, and the metadata properties that a finished one lacks."""
    import argilla as rg

    api = client.sdk.api
    dataset = rg.Dataset.from_model(found, client=client.sdk)
    if found.status == "draft":
        _ensure_all(client, dataset, settings.fields, api.fields)
        _ensure_all(client, dataset, settings.questions, api.questions)
    _ensure_all(client, dataset, settings.metadata, api.metadata)
    if found.status == "draft":
        try:
            api.datasets.publish(found.id)
        except ArgillaError:
            if api.datasets.get(found.id).status != "ready":  # else: a repeated request met its own work
                raise


def _ensure_all(client: ArgillaClient, dataset: "rg.Dataset", parts: Iterable[Any], api: Any) -> None:
    def find(name: str) -> Any:
        return _named(api.list(dataset.id), name)

    there = {part.name for part in api.list(dataset.id)}
    for part in parts:
        if part.name not in there:
            part.dataset = dataset
            client.once(part.create, partial(find, part.name))


def _named(parts: Iterable[Any], name: str) -> Any:
    return next((part for part in parts if part.name == name), None)


def _reference(client: ArgillaClient, found: Any, task: TaskConfig) -> tuple[DatasetRef, Any]:
    """The dataset as it is, and the SDK's model of its question."""
    spans = [question for question in client.sdk.api.questions.list(found.id) if question.type == "span"]
    question = _named(spans, task.question)
    if question is None or question.settings.field != task.text_field:
        there = ", ".join(f"{x.name!r} over {x.settings.field!r}" for x in spans) or "none"
        raise ArgillaError(
            f"dataset {found.name!r} has no span question {task.question!r} over the field {task.text_field!r}, but "
            f"{there}; set task.question and task.text_field to its names, or argilla.dataset to a new one"
        )
    reference = DatasetRef(
        id=str(found.id),
        name=found.name,
        workspace_id=str(found.workspace_id),
        text_field=task.text_field,
        question=task.question,
        question_id=str(question.id),
        labels=tuple(option["value"] for option in question.settings.options),
        allow_overlapping=question.settings.allow_overlapping,
        min_submitted=found.distribution.min_submitted,
        active_at=found.last_activity_at.isoformat() if found.last_activity_at else "",
    )
    return reference, question


def refuse_unfillable(client: ArgillaClient, dataset: DatasetRef, *, responses: bool) -> None:
    """Stop what would make records that the dataset does not take.

    Args:
        client: The connection.
        dataset: Where they would go.
        responses: They would come with responses.

    Raises:
        ArgillaError: Each wants more than a text, or a response more than spans.
    """
    for part, ours in (("fields", dataset.text_field), ("questions", dataset.question))[: 1 + responses]:
        items = client.get(f"datasets/{dataset.id}/{part}")["items"]
        if others := [x["name"] for x in items if x["required"] and x["name"] != ours]:
            way = (
                "import without --as responses" if part == "questions" else "create its records by Argilla's own client"
            )
            raise ArgillaError(
                f"dataset {dataset.name!r} requires the {part} {', '.join(others)} too, which no import fills; {way}"
            )


def _follow(client: ArgillaClient, found: Any, question: Any, task: TaskConfig) -> None:
    """Bring what Argilla can change in a published dataset to the configuration; send nothing that stays."""
    changes: dict[str, Any] = {}
    guidelines = task.guidelines.strip()  # as the SDK writes and reads them
    if guidelines and found.guidelines != guidelines:
        changes["guidelines"] = guidelines
    if found.distribution.min_submitted != task.min_submitted:
        changes["distribution"] = {**found.distribution.model_dump(), "min_submitted": task.min_submitted}
    if changes:
        client.patch(f"datasets/{found.id}", changes)
    if question.settings.allow_overlapping and not task.allow_overlapping:
        raise ConfigError(
            f"dataset {found.name!r} allows overlapping spans and Argilla cannot forbid them later; "
            "set task.allow_overlapping to true"
        )
