"""Which model is in service: a pointer file, replaced atomically, that remembers the ones before."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from spanloop.durable import replace_file, to_json
from spanloop.errors import StoreError


class _Pointer(NamedTuple):
    """The content of the file: versions in the order in which they served, and those that somebody took back."""

    history: list[str]
    vetoed: list[str]


class Champion:
    """The pointer. Callers hold the store's publishing section while they change it.

    Args:
        path: The pointer file; absent while no model is in service.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def current(self) -> str | None:
        """The model version in service; None without one."""
        history = self._read().history
        return history[-1] if history else None

    def previous(self) -> str | None:
        """The model version that the champion replaced; None without one."""
        history = self._read().history
        return history[-2] if len(history) > 1 else None

    def vetoed(self) -> list[str]:
        """Versions that somebody took out of service: no round puts them back."""
        return self._read().vetoed

    def promote(self, version: str, there: Collection[str]) -> None:
        """Put a model version into service, and lift the veto on it; the one in service already changes nothing.

        Args:
            version: The version.
            there: The versions that are there; those that served and are gone are forgotten, or the list would grow.
        """
        history, vetoed = self._read()
        if history[-1:] != [version]:
            self._write([*(x for x in history if x in there), version], [x for x in vetoed if x != version])

    def roll_back(self, *, veto: bool) -> None:
        """Put the previous version back into service, and forget the one that was.

        Args:
            veto: Whether no round may put it back: somebody decided so.
        """
        history, vetoed = self._read()
        self._write(history[:-1], [*vetoed, history[-1]] if veto else vetoed)

    def _write(self, history: list[str], vetoed: list[str]) -> None:
        champion = history[-1] if history else None
        replace_file(self.path, to_json({"champion": champion, "history": history, "vetoed": vetoed}))

    def _read(self) -> _Pointer:
        try:
            tree = json.loads(self.path.read_text(encoding="utf-8"))
            pointer = _Pointer(tree["history"], tree.get("vetoed", []))
        except FileNotFoundError:
            return _Pointer([], [])
        except (ValueError, KeyError, TypeError, AttributeError):
            pointer = None
        if pointer is None or not all(isinstance(x, list) and all(isinstance(v, str) for v in x) for x in pointer):
            raise StoreError(f"{self.path} is corrupt; restore it, or delete it: the next good model becomes champion")
        return pointer
