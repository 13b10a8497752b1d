"""CSV and TSV files."""

import csv
import sys
from collections.abc import Iterator
from functools import partial

from spanloop.errors import DataError
from spanloop.importing.readers import Reader, Row, Source, Table
from spanloop.importing.text_files import TextFile, open_text


def open_delimited(source: Source, delimiter: str) -> Table:
    """A CSV or TSV file with a header line.

    Raises:
        DataError: It has no header, or a column stands twice in it.
    """
    text = open_text(source)

    def rows() -> Iterator[Row]:
        records = _csv_records(text, delimiter)
        next(records, None)
        for line, values in records:
            if not values:
                continue
            if len(values) != len(header):
                raise DataError(
                    f"{text.name}, line {line}: the line has {len(values)} of {len(header)} columns; "
                    "put values that hold the delimiter, quotes or line ends into double quotes"
                )
            yield Row(f"{text.name}, line {line}", dict(zip(header, values, strict=True)))

    header = next((values for _, values in _csv_records(text, delimiter)), [])
    if not header:
        raise DataError(f"{text.name} is empty; its first line must name the columns")
    if twice := sorted({name for name in header if header.count(name) > 1}):
        raise DataError(f"{text.name}: column {twice[0]!r} stands twice in the first line; rename one")
    return Table(text.name, rows, tuple(header), notes=text.notes)


def _csv_records(text: TextFile, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Each record with the number of its first line."""
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    reader = csv.reader((line for _, line in text.lines()), delimiter=delimiter, strict=True)
    line = 1
    try:
        for values in reader:
            yield line, values
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"{text.name}, line {line}: {error}; "
            "a value that holds quotes goes into double quotes, its own quotes doubled"
        ) from None


READERS = (
    Reader("csv", partial(open_delimited, delimiter=","), (".csv",)),
    Reader("tsv", partial(open_delimited, delimiter="\t"), (".tsv", ".tab")),
)
