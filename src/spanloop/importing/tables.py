"""Files of rows: CSV, TSV, JSON lines, Parquet. Read as a stream, every row with its place for error messages."""

import csv
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spanloop.errors import DataError

PARQUET_BATCH = 500


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


def csv_table(path: Path, delimiter: str) -> Table:
    """A CSV or TSV file with a header line, in UTF-8.

    Raises:
        DataError: It has no header, or a column stands twice in it.
    """

    def rows() -> Iterator[Row]:
        records = _csv_records(path, delimiter)
        next(records, None)
        for line, values in records:
            if not values:
                continue
            if len(values) != len(header):
                raise DataError(
                    f"{path}, line {line}: the line has {len(values)} of {len(header)} columns; "
                    "put values that hold the delimiter, quotes or line ends into double quotes"
                )
            yield Row(f"{path}, line {line}", dict(zip(header, values, strict=True)))

    header = next((values for _, values in _csv_records(path, delimiter)), [])
    if not header:
        raise DataError(f"{path} is empty; its first line must name the columns")
    if twice := sorted({name for name in header if header.count(name) > 1}):
        raise DataError(f"{path}: column {twice[0]!r} stands twice in the first line; rename one")
    return Table(str(path), rows, tuple(header))


def jsonl_table(path: Path) -> Table:
    """A file with one JSON object a line, in UTF-8; rows may have different keys."""

    def rows() -> Iterator[Row]:
        for number, line in text_lines(path):
            where = f"{path}, line {number}"
            if not line.strip():
                continue
            try:
                values = json.loads(line)
            except ValueError as error:
                raise DataError(f"{where}: not JSON ({error}); every line must be one JSON object") from None
            if not isinstance(values, dict):
                raise DataError(f"{where}: not a JSON object but a {type(values).__name__}; write one {{...}} a line")
            yield Row(where, values)

    return Table(str(path), rows)


def parquet_table(path: Path) -> Table:
    """A Parquet file.

    Raises:
        DataError: It is not Parquet, or damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    def rows() -> Iterator[Row]:
        number = 0
        try:
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(PARQUET_BATCH):
                    for values in batch.to_pylist():
                        number += 1
                        yield Row(f"{path}, record {number}", values)
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise _damaged(path, f"after record {number}: {error}") from None

    try:
        columns = pq.read_schema(path).names
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, str(error)) from None
    return Table(str(path), rows, tuple(columns))


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


def _csv_records(path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Each record with the number of its first line."""
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    reader = csv.reader((line for _, line in text_lines(path)), delimiter=delimiter, strict=True)
    line = 1
    try:
        for values in reader:
            yield line, values
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"{path}, line {line}: {error}; a value that holds quotes goes into double quotes, its own quotes doubled"
        ) from None


def _damaged(path: Path, reason: str) -> DataError:
    return DataError(f"{path} cannot be read as Parquet ({' '.join(reason.split())[:200]}); write it again")
