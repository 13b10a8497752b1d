"""The group of each record and the split of each group, kept for good: neither metadata nor settings move a record."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from spanloop.config import SplitConfig
from spanloop.durable import replace_file
from spanloop.errors import StoreError
from spanloop.records import Split

Changing = Callable[[str], AbstractContextManager[None]]


@dataclass(slots=True)
class Dealing:
    """How records are dealt: as they were when a round first saw them, by the settings where it did not.

    Attributes:
        settings: Deal the groups that are new.
        groups: Group by record id.
        splits: Split by group.
    """

    settings: SplitConfig
    groups: dict[str, str] = field(default_factory=dict)
    splits: dict[str, Split] = field(default_factory=dict)

    def group_of(self, record_id: str, group: str) -> str:
        """The group that a record had first; the one given if it is new."""
        return self.groups.get(record_id, group)

    def split_of(self, group: str) -> Split:
        """The split that a group was dealt to first; that of the settings if it is new."""
        return self.splits.get(group) or self.settings.split_of(group)

    def keep(self, record_id: str, group: str) -> str:
        """Keep the group of a record and its split, unless they are kept already; returns the group."""
        kept = self.groups.setdefault(record_id, group)
        self.splits.setdefault(kept, self.split_of(kept))
        return kept


class Groups:
    """The file with what is kept.

    Args:
        path: The file; absent before the first round.
        changing: The store's section for changes, told what is done.
    """

    def __init__(self, path: Path, changing: Changing) -> None:
        self.path, self._changing = path, changing

    def read(self, settings: SplitConfig) -> Dealing:
        """What is kept; one of groups alone, as stores had it at first, has no splits.

        Args:
            settings: Deal what is new.

        Raises:
            StoreError: The file is corrupt.
        """
        try:
            tree = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return Dealing(settings)
        except ValueError:
            tree = None
        if _are_texts(tree):
            return Dealing(settings, tree)
        if not isinstance(tree, dict) or not _are_texts(tree.get("groups")) or not _are_splits(tree.get("splits")):
            raise StoreError(
                f"{self.path} is corrupt; restore it from a backup, or delete it: groups and splits of annotated "
                "records are then those of the snapshots, those of the others what metadata and settings say"
            )
        return Dealing(settings, tree["groups"], tree["splits"])

    def write(self, dealing: Dealing) -> None:
        """Keep the group of each record, and the split of each group, for good."""
        tree = {"groups": dealing.groups, "splits": dealing.splits}
        with self._changing("keep the groups of records"):
            replace_file(self.path, json.dumps(tree, ensure_ascii=False, indent=0) + "\n")


def _are_texts(tree: Any) -> bool:
    return isinstance(tree, dict) and all(isinstance(value, str) for value in tree.values())


def _are_splits(tree: Any) -> bool:
    return isinstance(tree, dict) and all(value in get_args(Split) for value in tree.values())
