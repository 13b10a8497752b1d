"""Metadata properties of a dataset: those that are about to be written are made where they are missing."""

from collections.abc import Collection
from typing import Any

from spanloop.argilla.client import ArgillaClient
from spanloop.argilla.dataset import DatasetRef
from spanloop.argilla.sdk import sdk_errors
from spanloop.argilla.shape import WRITTEN, Property, dataset_settings
from spanloop.config import TaskConfig
from spanloop.errors import ArgillaError

Json = dict[str, Any]


def list_properties(client: ArgillaClient, dataset: DatasetRef) -> dict[str, Json]:
    """Argilla's JSON of the properties that the client's user may see, by name."""
    return {item["name"]: item for item in client.get(f"me/datasets/{dataset.id}/metadata-properties")["items"]}


def create_property(client: ArgillaClient, dataset: DatasetRef, body: Json) -> Json:
    """Create a property, or find the one that somebody else created under its name; its JSON."""
    return client.once(
        lambda: client.post(f"datasets/{dataset.id}/metadata-properties", body),
        lambda: list_properties(client, dataset).get(body["name"]),
    )


def prepare_dataset(
    client: ArgillaClient, dataset: DatasetRef, task: TaskConfig, properties: Collection[Property] = WRITTEN
) -> dict[str, Json]:
    """Make the metadata that is about to be written where the dataset's makers left it out.

    Args:
        client: The connection.
        dataset: The dataset.
        task: What is annotated.
        properties: What will be written; by default what a round writes.

    Returns:
        The properties that were there before, by name.

    Raises:
        ArgillaError: A metadata property of one of these names takes something else; nothing was changed.
    """
    there, wanted = _compared(client, dataset, task, properties)
    for ours in wanted:
        if ours["name"] not in there:
            create_property(client, dataset, ours)
    return there


def missing_properties(
    client: ArgillaClient, dataset: DatasetRef, task: TaskConfig, properties: Collection[Property] = WRITTEN
) -> list[str]:
    """Names of the metadata that `prepare_dataset` would make; raises as that does."""
    there, wanted = _compared(client, dataset, task, properties)
    return [ours["name"] for ours in wanted if ours["name"] not in there]


def _compared(
    client: ArgillaClient, dataset: DatasetRef, task: TaskConfig, properties: Collection[Property]
) -> tuple[dict[str, Json], list[Json]]:
    """The properties that are there, and those that are to be there, which fit them."""
    there = list_properties(client, dataset)
    with sdk_errors(client.url):
        made = [x.api_model() for x in dataset_settings(task, client.sdk).metadata if x.name in properties]
    wanted = [x.model_dump(include={"name", "title", "settings", "visible_for_annotators"}) for x in made]
    for ours in wanted:
        _check(dataset.name, ours, there.get(ours["name"]))
    return there, wanted


def _check(dataset: str, ours: Json, there: Json | None) -> None:
    """Refuse a property that would not take what is about to be written."""
    name, kind = ours["name"], ours["settings"]["type"]
    settings = there["settings"] if there else ours["settings"]
    bounds = [settings.get(bound) for bound in ("min", "max", "values")]
    if settings["type"] == kind and not any(bound is not None for bound in bounds):
        return
    what = f"of type {settings['type']}" if settings["type"] != kind else "with bounds"
    raise ArgillaError(
        f"dataset {dataset!r} has a metadata property {name!r} {what}, where spanloop writes any {kind}; "
        "delete it in the dataset's settings in Argilla, or set argilla.dataset to another dataset"
    )
