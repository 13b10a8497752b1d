"""The group of each record, kept for good: metadata can be edited, and a record must never change its split."""

import json
from collections.abc import Mapping
from pathlib import Path

from spanloop.durable import replace_file
from spanloop.errors import StoreError


class Groups:
    """The group of each record, as it was when a round first saw it. Callers hold the publishing section to write.

    Args:
        path: The file; absent before the first round.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, str]:
        """Group by record id.

        Raises:
            StoreError: The file is corrupt.
        """
        try:
            tree = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError:
            tree = None
        if not isinstance(tree, dict) or not all(isinstance(group, str) for group in tree.values()):
            raise StoreError(
                f"{self.path} is corrupt; restore it from a backup, or delete it: the groups of annotated records are "
                "then those of the newest snapshot, those of the others what their metadata says"
            )
        return tree

    def write(self, groups: Mapping[str, str]) -> None:
        """Replace the file."""
        replace_file(self.path, json.dumps(groups, ensure_ascii=False, indent=0) + "\n")
