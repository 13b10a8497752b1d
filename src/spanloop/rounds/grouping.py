"""Records with the groups that the store keeps for them: no edit of metadata moves a record to another split."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from spanloop.config import SplitConfig
from spanloop.errors import StoreError
from spanloop.records import SPLITS, Record
from spanloop.snapshot import read_examples
from spanloop.store import Store
from spanloop.store.artifacts import MANIFEST
from spanloop.store.groups import Dealing
from spanloop.store.jsonl import read_json

log = logging.getLogger(__name__)


def known_dealing(store: Store, settings: SplitConfig) -> Dealing:
    """Groups and splits of the records seen so far; where no splits are kept, those of the snapshots.

    Args:
        store: The store.
        settings: Deal what is new.

    Raises:
        StoreError: What the store keeps is corrupt.
    """
    kept = store.groups.read(settings)
    if kept.splits:
        return kept
    then = settings
    for name in store.names("snapshots"):
        folder = store.path("snapshots", name)
        try:
            then = SplitConfig.model_validate(read_json(folder / MANIFEST)["splits"])
            for split in SPLITS:
                for example in read_examples(folder, split):
                    kept.groups.setdefault(example.id, example.group)
                    kept.splits[example.group] = split
        except StoreError as error:
            log.warning("%s; what it says of splits is not known", error)
    for group in kept.groups.values():  # of records that waited: as the newest snapshot would have dealt them
        kept.splits.setdefault(group, then.split_of(group))
    return kept


@dataclass(slots=True)
class Unmoved:
    """Records that would be moved, were their groups and splits not kept.

    Attributes:
        regrouped: Ids of those whose metadata says another group.
        resplit: Ids of those whose group the settings deal to another split.
    """

    regrouped: list[str] = field(default_factory=list)
    resplit: list[str] = field(default_factory=list)


def grouped(records: Iterable[Record], dealing: Dealing, unmoved: Unmoved | None = None) -> Iterator[Record]:
    """Records with their kept groups.

    Args:
        records: As they are in Argilla.
        dealing: What is kept; gets the groups and splits of records that are new.
        unmoved: Gets the ids of records that stay where they were.
    """
    unmoved = unmoved or Unmoved()
    for record in records:
        group = dealing.keep(record.id, record.group)
        if dealing.splits[group] != dealing.settings.split_of(group):
            unmoved.resplit.append(record.id)
        if group != record.group:
            unmoved.regrouped.append(record.id)
            record = replace(record, group=group)  # noqa: PLW2901, the same record
        yield record
