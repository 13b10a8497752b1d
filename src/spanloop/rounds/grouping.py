"""Records with the groups that the store keeps for them: no edit of metadata moves a record to another split."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from spanloop.records import SPLITS, Record
from spanloop.snapshot import current, read_examples
from spanloop.store import Store


def known_groups(store: Store) -> dict[str, str]:
    """The group of each record seen so far; where nothing is kept, those of the newest snapshot.

    Raises:
        StoreError: The store is corrupt.
    """
    kept = store.groups()
    if kept or (newest := current(store)) is None:
        return kept
    folder = store.path("snapshots", newest)
    return {example.id: example.group for split in SPLITS for example in read_examples(folder, split)}


def grouped(records: Iterable[Record], known: dict[str, str], changed: list[str]) -> Iterator[Record]:
    """Records with their kept groups.

    Args:
        records: As they are in Argilla.
        known: The kept groups; those of records that are not in it are added.
        changed: Gets the ids of records whose metadata says another group than the kept one.
    """
    for record in records:
        group = known.setdefault(record.id, record.group)
        if group != record.group:
            changed.append(record.id)
            record = replace(record, group=group)  # noqa: PLW2901, the same record
        yield record
