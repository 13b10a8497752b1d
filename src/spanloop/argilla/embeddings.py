"""Embeddings of records in Argilla, by which its page finds similar ones."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from spanloop.argilla.client import ArgillaClient
from spanloop.argilla.dataset import DatasetRef
from spanloop.argilla.pull import in_bulks, look_up
from spanloop.errors import ArgillaError

if TYPE_CHECKING:
    from argilla._models import VectorFieldModel

EMBEDDING = "embedding"
"""Name of the records' vectors."""

_DIGITS = 4  # of components of unit vectors


def ensure_vectors(client: ArgillaClient, dataset: DatasetRef, dimensions: int) -> str:
    """Argilla's id of the settings that let records have an embedding, made where they are missing.

    Raises:
        ArgillaError: There are some for vectors of another length.
    """
    import argilla as rg

    from spanloop.argilla.sdk import sdk_errors

    with sdk_errors(client.url):
        api = client.sdk.api.vectors
        wanted = rg.VectorField(EMBEDDING, dimensions, title="Meaning", _client=client.sdk).api_model()
        wanted.dataset_id = UUID(dataset.id)

        def find() -> "VectorFieldModel | None":
            return next((there for there in api.list(UUID(dataset.id)) if there.name == EMBEDDING), None)

        found = find() or client.once(lambda: api.create(wanted), find)
    if found.dimensions != dimensions:
        raise ArgillaError(
            f"dataset {dataset.name!r} has vectors {EMBEDDING!r} of {found.dimensions} numbers, where spanloop writes "
            f"{dimensions}; delete them in the dataset's settings in Argilla, or set argilla.find_similar to false"
        )
    return str(found.id)


def write_vectors(
    client: ArgillaClient,
    dataset: DatasetRef,
    vectors: Iterable[tuple[str, NDArray[np.floating]]],
    written: Callable[[list[str]], None] = lambda names: None,
) -> None:
    """Give records their embedding, whatever state they are in; nothing else of them changes.

    Args:
        client: The connection.
        dataset: With the settings of `ensure_vectors`.
        vectors: Record id and unit vector of each; a generator is read as it is written.
        written: Told the ids of each bulk, records that are gone among them.

    Raises:
        ArgillaError: Argilla refused a bulk; those before it are written.
    """
    for bulk, there in in_bulks(client, dataset, vectors, lambda row: row[0]):
        _write(client, dataset, bulk, {name: item["id"] for name, item in there.items()})
        written([name for name, _ in bulk])


def _write(
    client: ArgillaClient, dataset: DatasetRef, bulk: list[tuple[str, NDArray[np.floating]]], there: dict[str, str]
) -> None:
    """Write to the records that are there, by Argilla's ids; where some leave in between, to those that are left."""
    vectors = [(there[name], [round(float(x), _DIGITS) for x in vector]) for name, vector in bulk if name in there]
    body = {"items": [{"id": id_, "vectors": {EMBEDDING: vector}} for id_, vector in vectors]}

    def look() -> dict[str, str]:
        return {name: item["id"] for name, item in look_up(client, dataset, list(there)).items()}

    path = f"datasets/{dataset.id}/records/bulk"
    if vectors and not client.unless_overtaken(lambda: client.put(path, body), lambda: look() != there):
        _write(client, dataset, bulk, look())
