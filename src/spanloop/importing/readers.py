"""What a reader of a format is, and what it gives: rows, read as a stream, each with its place for error messages."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spanloop.errors import DataError


@dataclass(frozen=True, slots=True)
class Source:
    """What is to be read, as the user said it.

    Attributes:
        name: A path, or the id of a dataset of the Hub.
        split: Which split of a dataset to read.
        subset: Which configuration of a dataset to read.
    """

    name: str
    split: str = "train"
    subset: str = ""

    @property
    def path(self) -> Path:
        """Where it lies, if it is a file or a folder."""
        return Path(self.name)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file.

    Attributes:
        where: Its place for people, e.g. `claims.csv, line 12`.
        values: The values by column.
    """

    where: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """A source of rows that can be read again and again.

    Attributes:
        name: The source's name for people.
        rows: Opens the source and reads it from the start.
        columns: The columns that every row has; empty where rows differ.
        own_columns: The reader itself names the columns `id`, `group`, `text`, `spans`.
    """

    name: str
    rows: Callable[[], Iterator[Row]]
    columns: tuple[str, ...] = ()
    own_columns: bool = False


@dataclass(frozen=True, slots=True)
class Reader:
    """A format: how its sources are recognised and opened.

    Attributes:
        name: What `--format` calls it.
        open: Opens a source; raises DataError where it is not of the format.
        endings: Endings of its files in small letters, e.g. `.csv`; no two readers share one.
        recognises: Whether a source without such an ending is of the format, e.g. a folder with certain files.
        only_paths: Its sources lie on this machine: one that does not is told before it is opened.
    """

    name: str
    open: Callable[[Source], Table]
    endings: tuple[str, ...] = ()
    recognises: Callable[[Source], bool] = lambda source: False
    only_paths: bool = True


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a UTF-8 file with their numbers, line ends kept; a byte order mark is dropped.

    Raises:
        DataError: The file cannot be read, or a line is not UTF-8.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                try:
                    yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")
                except UnicodeDecodeError as error:
                    raise DataError(
                        f"{path}, line {number}: byte {error.start + 1} (0x{line[error.start]:02x}) is not UTF-8; "
                        f"convert the file first, e.g. iconv -f latin1 -t utf-8 {path.name}"
                    ) from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}; check the path and its permissions") from None
