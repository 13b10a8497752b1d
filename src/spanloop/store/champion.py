"""Which model is in service: a pointer file, replaced atomically, that remembers the ones before."""

import json
from pathlib import Path

from spanloop.durable import replace_file, to_json
from spanloop.errors import StoreError


class Champion:
    """The pointer. Callers hold the store's publishing section while they change it.

    Args:
        path: The pointer file; absent while no model is in service.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def current(self) -> str | None:
        """The model version in service; None before the first."""
        history = self._history()
        return history[-1] if history else None

    def previous(self) -> str | None:
        """The model version that the champion replaced; None without one."""
        history = self._history()
        return history[-2] if len(history) > 1 else None

    def promote(self, version: str) -> None:
        """Put a model version into service.

        Args:
            version: Its name; the one in service already changes nothing.
        """
        if version != self.current():
            self._write([*self._history(), version])

    def roll_back(self) -> None:
        """Put the previous version back into service, and forget the one that was."""
        self._write(self._history()[:-1])

    def _write(self, history: list[str]) -> None:
        replace_file(self.path, to_json({"champion": history[-1], "history": history}))

    def _history(self) -> list[str]:
        try:
            history = json.loads(self.path.read_text(encoding="utf-8"))["history"]
        except FileNotFoundError:
            return []
        except (ValueError, KeyError, TypeError):
            history = None
        if not isinstance(history, list) or not all(isinstance(version, str) for version in history):
            raise StoreError(f"{self.path} is corrupt; restore it, or delete it: the next good model becomes champion")
        return history
