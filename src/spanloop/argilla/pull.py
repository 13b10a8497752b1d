"""Read records out of Argilla: all of them, those that somebody submitted, or those of some ids."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

from spanloop.argilla.client import ArgillaClient
from spanloop.argilla.convert import to_record
from spanloop.argilla.dataset import DatasetRef
from spanloop.records import Record

PAGE = 1000
_MOST_IDS = 250  # Argilla takes no more values in one filter
_INCLUDED = "responses,suggestions"
_INSERTED = {"entity": "record", "property": "inserted_at"}

Json = dict[str, Any]
T = TypeVar("T")


def pull(client: ArgillaClient, dataset: DatasetRef) -> Iterator[Record]:
    """Every record, with all responses and the suggestion in place."""
    return _walk(client, dataset, [])


def pull_submitted(client: ArgillaClient, dataset: DatasetRef) -> Iterator[Record]:
    """The records with a submitted response, with all their responses, drafts and discarded ones included.

    A record that was submitted without any span is a real negative and is among them.
    """
    return _walk(client, dataset, [_terms("response", "status", ["submitted"])])


def pull_pending(client: ArgillaClient, dataset: DatasetRef) -> Iterator[Record]:
    """The records that are not complete, with all their responses, of any status."""
    return _walk(client, dataset, [_terms("record", "status", ["pending"])])


def latest_change(client: ArgillaClient, dataset: DatasetRef) -> tuple[int, str]:
    """How many records there are, and when one was last changed; empty while there is none.

    A new text or other metadata is a change, a suggestion or a response is none.
    """
    body = {"sort": [{"scope": {"entity": "record", "property": "updated_at"}, "order": "desc"}]}
    answer = client.search(f"datasets/{dataset.id}/records/search", body, limit=1)
    return answer["total"], next((item["record"]["updated_at"] for item in answer["items"]), "")


def pull_with(client: ArgillaClient, dataset: DatasetRef, name: str) -> Iterator[Record]:
    """The records whose metadata has a value of 0 or more under a name."""
    scope = {"entity": "metadata", "metadata_property": name}
    return _walk(client, dataset, [{"type": "range", "scope": scope, "ge": 0.0}])


def look_up(client: ArgillaClient, dataset: DatasetRef, ids: list[str]) -> dict[str, Json]:
    """The records of these ids, as they are now.

    Args:
        client: The connection.
        dataset: Where to look.
        ids: Record ids, no more than a bulk of `in_bulks` has.

    Returns:
        Argilla's JSON of the records that are there, with responses and suggestions, by record id.
    """
    if not ids:
        return {}
    named = _search(client, dataset, [_terms("record", "external_id", ids)], offset=0)
    found = {item["external_id"]: item for item in named}
    if unnamed := [name for name in ids if name not in found and _is_uuid(name)]:  # of the server's own ids
        others = _search(client, dataset, [_terms("record", "id", unnamed)], offset=0)
        found |= {item["id"]: item for item in others if not item["external_id"]}
    return found


def _is_uuid(name: str) -> bool:
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False


def in_bulks(
    client: ArgillaClient, dataset: DatasetRef, items: Iterable[T], id_of: Callable[[T], str]
) -> Iterator[tuple[list[T], dict[str, Json]]]:
    """Bulks of items, each with what Argilla has of its records at that moment, as `look_up` finds it.

    Args:
        client: The connection.
        dataset: Where to look.
        items: Whatever belongs to a record; a stream is read one bulk at a time.
        id_of: The record's id.
    """
    rest = iter(items)
    while bulk := list(islice(rest, _MOST_IDS)):
        yield bulk, look_up(client, dataset, [id_of(item) for item in bulk])


def pull_items(client: ArgillaClient, dataset: DatasetRef) -> Iterator[Json]:
    """Argilla's JSON of every record, with responses, suggestions and vectors."""
    return _walk_items(client, dataset, [], f"{_INCLUDED},vectors")


def _walk(client: ArgillaClient, dataset: DatasetRef, filters: list[Json]) -> Iterator[Record]:
    return (to_record(item, dataset) for item in _walk_items(client, dataset, filters, _INCLUDED))


def _walk_items(client: ArgillaClient, dataset: DatasetRef, filters: list[Json], include: str) -> Iterator[Json]:
    """All pages in the order of insertion, every record once.

    Annotators go on working meanwhile, and a record that joins or leaves would shift those behind it from page to
    page. So a page starts from the last record's time of insertion, which never changes, not from a count.
    """
    seen: set[str] = set()
    since, offset = "", 0
    while True:
        start = [{"type": "range", "scope": _INSERTED, "ge": since}] if since else []
        items = _search(client, dataset, [*filters, *start], offset, include)
        fresh = [item for item in items if item["id"] not in seen]
        seen.update(item["id"] for item in fresh)
        yield from fresh
        if len(items) < PAGE:
            return
        last = items[-1]["inserted_at"]
        since, offset = last, offset + PAGE if last == since else 0


def _search(
    client: ArgillaClient, dataset: DatasetRef, filters: list[Json], offset: int, include: str = _INCLUDED
) -> list[Json]:
    body: Json = {"sort": [{"scope": _INSERTED, "order": "asc"}]}
    if filters:
        body["filters"] = {"and": filters}
    path = f"datasets/{dataset.id}/records/search"
    answer = client.search(path, body, include=include, limit=PAGE, offset=offset)
    return [item["record"] for item in answer["items"]]


def _terms(entity: str, name: str, values: list[str]) -> Json:
    return {"type": "terms", "scope": {"entity": entity, "property": name}, "values": values}
