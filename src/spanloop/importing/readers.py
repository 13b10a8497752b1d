"""What a reader of a format is, and what it gives: rows, read as a stream, each with its place for error messages."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spanloop.config import ColumnsConfig


@dataclass(frozen=True, slots=True)
class Source:
    """What is to be read, as the user said it.

    Attributes:
        name: A path, or the id of a dataset of the Hub; what messages call it.
        split: Which split of a dataset to read.
        subset: Which configuration of a dataset to read.
        encoding: How its text is encoded; empty: it is found out.
        delimiter: What stands between the columns of a table; empty: what the format or the first line says.
        columns: The columns that the user named; a file without names has them by number.
        copy: A copy on disk of what can be read only once.
    """

    name: str
    split: str = "train"
    subset: str = ""
    encoding: str = ""
    delimiter: str = ""
    columns: ColumnsConfig = field(default_factory=ColumnsConfig)
    copy: Path | None = None

    @property
    def path(self) -> Path:
        """Where it lies, if it is a file or a folder."""
        return self.copy or Path(self.name)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file.

    Attributes:
        where: Its place for people, e.g. `claims.csv, line 12`.
        values: The values by column.
        remarks: What the file says of the row and its annotation does not hold, or what was taken for granted.
    """

    where: str
    values: Mapping[str, Any]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A source of rows that can be read again and again.

    Attributes:
        name: The source's name for people.
        rows: Opens the source and reads it from the start.
        columns: The columns that every row has; empty where rows differ.
        own_columns: The reader itself names the columns `id`, `group`, `text`, `spans`.
        notes: What the reader found out about the file and the user should know, a line each.
    """

    name: str
    rows: Callable[[], Iterator[Row]]
    columns: tuple[str, ...] = ()
    own_columns: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reader:
    """A format: how its sources are recognised and opened.

    Attributes:
        name: What `--format` calls it.
        open: Opens a source; raises DataError where it is not of the format.
        endings: Endings of its files in small letters, e.g. `.csv`; no two readers share one.
        recognises: Whether a source without such an ending is of the format, e.g. a folder with certain files.
        within: The reader of the more general format whose sources this one looks into with `recognises`.
        only_paths: Its sources lie on this machine: one that does not is told before it is opened.
    """

    name: str
    open: Callable[[Source], Table]
    endings: tuple[str, ...] = ()
    recognises: Callable[[Source], bool] = lambda source: False
    within: str = ""
    only_paths: bool = True
