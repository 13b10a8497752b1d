"""A store and a dataset belong to each other: no two stores, nor two copies of one, ever write to one dataset.

The first round binds them. Each round renews the lease in Argilla by a token that only this store knows, noted here
before it is sent. A store that finds a token that it does not know stops: another store, or a copy of this one, took
the dataset, and only `take_over` takes it back. Of two that begin at the same moment the one whose lease is overwritten
stops before it writes. The look is repeated before each bulk, so what can still go wrong is one bulk that was on its
way when the other store took the dataset.
"""

import logging
import secrets
import socket
from collections.abc import Mapping
from typing import Any

from spanloop.argilla.client import ArgillaClient
from spanloop.argilla.dataset import DatasetRef
from spanloop.argilla.lease import LEASE, Lease, write_lease
from spanloop.argilla.properties import list_properties
from spanloop.errors import StoreError
from spanloop.store import Store

log = logging.getLogger(__name__)

Json = dict[str, Any]


def hold(store: Store, client: ArgillaClient, dataset: DatasetRef, properties: Mapping[str, Json], now: str) -> None:
    """Bind store and dataset, or renew the lease of a round before.

    Args:
        store: The store, locked for a round.
        client: The connection.
        dataset: The dataset.
        properties: Its metadata properties, by name.
        now: The time, ISO 8601 in UTC.

    Raises:
        StoreError: The dataset belongs to another store, or the store to another dataset; nothing was changed.
    """
    held = properties.get(LEASE)
    _refuse_others(store, dataset, held)
    if not store.binding.read().dataset:
        log.info("pull: store %s and dataset %r belong to each other from now on", store.id[:8], dataset.name)
    _refuse_others(store, dataset, _take(store, client, dataset, held, now))


def refuse_if_taken(store: Store, client: ArgillaClient, dataset: DatasetRef) -> None:
    """Stop what would read or write a dataset that belongs to another store by now.

    Raises:
        StoreError: It does, or the store belongs to another dataset.
    """
    _refuse_others(store, dataset, list_properties(client, dataset).get(LEASE))


def take_over(store: Store, client: ArgillaClient, dataset: DatasetRef, now: str) -> str:
    """Bind a store and a dataset on purpose, whatever they belonged to; done twice, it is done once.

    Args:
        store: The store.
        client: The connection.
        dataset: The dataset.
        now: The time, ISO 8601 in UTC.

    Returns:
        Whose the dataset was, in words; empty if it was this store's already.
    """
    held, bound = list_properties(client, dataset).get(LEASE), store.binding.read()
    if held and not _problem(store, dataset, held):
        return ""
    _take(store, client, dataset, held, now, adopted=True)
    before = f"; the store belonged to dataset {bound.name!r}" if bound.dataset not in ("", dataset.id) else ""
    return _owner(held) + before


def _take(
    store: Store, client: ArgillaClient, dataset: DatasetRef, held: Json | None, now: str, *, adopted: bool = False
) -> Json:
    lease = Lease(store.id, now, secrets.token_hex(8), socket.gethostname() or "-", str(store.root))
    store.binding.write(dataset.id, dataset.name, lease.token, adopted=adopted)
    return write_lease(client, dataset, lease, held)


def _refuse_others(store: Store, dataset: DatasetRef, held: Json | None) -> None:
    if problem := _problem(store, dataset, held):
        raise StoreError(problem)


def _problem(store: Store, dataset: DatasetRef, held: Json | None) -> str:
    """Why this store must not touch the dataset, in one line; empty if it may."""
    bound = store.binding.read()
    if bound.dataset not in ("", dataset.id):
        return (
            f"store {store.root} belongs to dataset {bound.name!r} (id {bound.dataset}), not to {dataset.name!r} (id "
            f"{dataset.id}); give this one a store of its own, or move the store to it by 'spanloop adopt'"
        )
    lease = Lease.of(held) if held else None
    if held is None or (lease and lease.token in bound.leases):
        return ""
    if lease and lease.store == store.id:
        return (
            f"another copy or a later state of this store worked on dataset {dataset.name!r} ({lease}); use that one, "
            "or go on with this one by 'spanloop adopt'"
        )
    return (
        f"dataset {dataset.name!r} belongs to {_owner(held)}, not to store {store.id[:8]} ({store.root}); use that "
        "one, or take the dataset over by 'spanloop adopt'"
    )


def _owner(held: Json | None) -> str:
    if held is None:
        return "no store"
    return str(Lease.of(held) or f"whoever wrote {held['title']!r} into its metadata property {LEASE!r}")
