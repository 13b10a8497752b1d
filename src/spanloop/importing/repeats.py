"""Records that come again: by their id, or by the same text where a file has no ids."""

import re

from spanloop.errors import DataError
from spanloop.importing.remarks import Remarks
from spanloop.importing.values import refuse_floats
from spanloop.records import Span

_FLOAT = re.compile(r"\d+\.0|\d(\.\d+)?[eE]\+?\d+")


class SeenRecords:
    """What has been read of a file, so that a record comes once and no annotation is lost without a word."""

    def __init__(self, remarks: Remarks) -> None:
        """Start with nothing seen.

        Args:
            remarks: Gets what is passed over.
        """
        self.places: dict[str, str] = {}
        self.waiting: dict[str, str] = {}
        self._spans: dict[str, tuple[Span, ...]] = {}
        self._remarks = remarks

    def refuse_again(self, name: str, where: str) -> None:
        """Note a record that has an id.

        Raises:
            DataError: Its id stands there already.
        """
        if name in self.places:
            raise DataError(
                f"{where}: id {name!r} stands at {_short(self.places[name])} already; name columns that differ, --id"
            )
        self.places[name] = where

    def is_next(self, name: str, spans: tuple[Span, ...] | None, where: str, *, annotated: bool) -> bool:
        """Note a record whose id is a hash of its text; whether it is the one to take.

        One without annotation waits until the end of the file: the same text may come again with one.

        Raises:
            DataError: The same text has another annotation already.
        """
        if name in self._spans and spans is not None and spans != self._spans[name]:
            raise DataError(
                f"{where}: the same text as at {_short(self.places[name])} with another annotation; "
                "keep one of the two, or give the records ids (--id)"
            )
        is_known = name in self.places or name in self.waiting
        if is_known:
            self._remarks.add("texts left out, they stand in the file already", where)
        if spans is None:
            if not is_known:
                (self.waiting if annotated else self.places)[name] = where
            return not is_known and not annotated
        self.waiting.pop(name, None)
        is_first = name not in self.places
        if is_first:
            self.places[name], self._spans[name] = where, spans
        return is_first


class NumbersMadeFloats:
    """Columns of ids in a file whose values are text, each of them like `12.0`."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self._examples: dict[str, str] = {}
        self._others: set[str] = set()

    def add(self, column: str, value: str) -> None:
        """See a value."""
        if column in self._others:
            return
        if _FLOAT.fullmatch(value):
            self._examples.setdefault(column, value)
        else:
            self._others.add(column)

    def refuse(self, name: str) -> None:
        """Tell of the first such column.

        Raises:
            DataError: There is one.
        """
        for column, example in self._examples.items():
            if column not in self._others:
                raise refuse_floats(name, column, example)


def _short(where: str) -> str:
    """The place within its file."""
    return where.rpartition(", ")[2]
