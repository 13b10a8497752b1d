"""Which dataset a store belongs to, and by which leases: the store's side of what `argilla.lease` keeps there."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from spanloop.durable import replace_file, to_json
from spanloop.errors import StoreError

_KEPT = 50  # leases of the past: a program that writes back settings it read earlier puts an old one in place again


@dataclass(frozen=True, slots=True)
class Bound:
    """What a store is bound to.

    Attributes:
        dataset: Argilla's id of the dataset; empty while there is none.
        name: The dataset's name when it was bound.
        leases: Tokens of the store's leases, the last one taken or being taken.
        adopted: The dataset was taken over on purpose, and no round has gone over it since.
    """

    dataset: str = ""
    name: str = ""
    leases: tuple[str, ...] = ()
    adopted: bool = False


class Binding:
    """The file with what a store is bound to.

    Args:
        path: The file; absent before the first round.
        changing: The store's section for changes, told what is done.
    """

    def __init__(self, path: Path, changing: Callable[[str], AbstractContextManager[None]]) -> None:
        self.path, self._changing = path, changing

    def read(self) -> Bound:
        """What the store is bound to.

        Raises:
            StoreError: The file is corrupt.
        """
        try:
            tree = json.loads(self.path.read_text(encoding="utf-8"))
            leases = tuple(map(str, tree["leases"]))
            return Bound(str(tree["dataset"]), str(tree["name"]), leases, bool(tree.get("adopted")))
        except FileNotFoundError:
            return Bound()
        except (ValueError, KeyError, TypeError):
            raise StoreError(f"{self.path} is corrupt; delete it, then take the dataset by 'spanloop adopt'") from None

    def write(self, dataset: str, name: str, lease: str, *, adopted: bool = False) -> None:
        """Note a lease before it is taken in Argilla: a crash in between leaves the one before in place there."""
        before = self.read()
        self._replace(Bound(dataset, name, (*before.leases, lease)[-_KEPT:], adopted or before.adopted))

    def settle(self) -> None:
        """Note that a round has gone over what was adopted."""
        if (bound := self.read()).adopted:
            self._replace(replace(bound, adopted=False))

    def _replace(self, bound: Bound) -> None:
        with self._changing("note the dataset of the store"):
            replace_file(self.path, to_json(asdict(bound)))
