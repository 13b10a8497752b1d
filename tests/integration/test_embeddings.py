"""Embeddings in the real Argilla: its search finds what lies near, and nothing else of a record changes."""

from collections.abc import Callable

import numpy as np
import pytest

from spanloop.argilla import ArgillaClient, DatasetRef, pull
from spanloop.argilla.embeddings import EMBEDDING, ensure_vectors, write_vectors
from spanloop.argilla.sending import submit_response
from spanloop.errors import ArgillaError
from spanloop.records import Record, Span

NEAR = {"north": np.array([0.0, 1.0]), "almost": np.array([0.6, 0.8]), "east": np.array([1.0, 0.0])}


def similar(client: ArgillaClient, dataset: DatasetRef, record: Record) -> list[str]:
    """The records that 'Find similar' shows, nearest first."""
    query = {"vector": {"name": EMBEDDING, "record_id": record.server_id}}
    answer = client.search(f"me/datasets/{dataset.id}/records/search", {"query": query})
    return [item["record"]["external_id"] for item in answer["items"]]


def test_the_search_finds_what_lies_near(client: ArgillaClient, fill: Callable[..., DatasetRef]) -> None:
    dataset = fill({name: f"To the {name}." for name in NEAR})
    before = {record.id: record for record in pull(client, dataset)}
    submit_response(client, dataset, before["north"], [Span(7, 12, "place")])
    before = {record.id: record for record in pull(client, dataset)}
    told: list[str] = []
    settings = ensure_vectors(client, dataset, 2)
    write_vectors(client, dataset, [*NEAR.items(), ("gone", NEAR["east"])], told.extend)
    assert told == [*NEAR, "gone"]
    assert similar(client, dataset, before["north"]) == ["almost", "east"]
    assert similar(client, dataset, before["east"]) == ["almost", "north"]
    assert {record.id: record for record in pull(client, dataset)} == before
    assert ensure_vectors(client, dataset, 2) == settings


def test_vectors_of_another_length_are_in_the_way(client: ArgillaClient, fill: Callable[..., DatasetRef]) -> None:
    dataset = fill({"a": "Text"})
    ensure_vectors(client, dataset, 2)
    with pytest.raises(ArgillaError, match=r"'embedding' of 2 numbers, where spanloop writes 384; delete them"):
        ensure_vectors(client, dataset, 384)
