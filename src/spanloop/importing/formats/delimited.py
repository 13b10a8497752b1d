"""CSV and TSV files."""

import csv
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from itertools import islice

from spanloop.errors import DataError
from spanloop.importing.literals import texts_in
from spanloop.importing.readers import Reader, Row, Source, Table
from spanloop.importing.tags import is_tag
from spanloop.importing.text_files import TextFile, open_text

_DELIMITERS = {"csv": (",", ";", "\t", "|"), "tsv": ("\t",)}


def open_delimited(source: Source, kind: str) -> Table:
    """A CSV or TSV file with a header line.

    A column of texts whose first value is a list of tokens, as pandas writes it, holds lists of tokens.

    Raises:
        DataError: It has no header, or a column stands twice in it.
    """
    text = open_text(source)
    delimiter = _delimiter(text, source, kind)
    header = _header(text, delimiter)
    if not header:
        raise DataError(f"{text.name} is empty; its first line must name the columns")
    if twice := sorted({name for name in header if header.count(name) > 1}):
        raise DataError(f"{text.name}: column {twice[0]!r} stands twice in the first line; rename one")
    if source.columns.text not in header and any(map(is_tag, header)):
        raise DataError(
            f"{text.name}: its first line holds a tag and no names of columns; if it is CoNLL, --format conll"
        )
    tokens = source.columns.text

    def rows() -> Iterator[Row]:
        are_lists: bool | None = None
        for line, values in islice(_csv_records(text, delimiter), 1, None):
            if not values:
                continue
            where = f"{text.name}, line {line}"
            if len(values) != len(header):
                raise DataError(
                    f"{where}: the line has {len(values)} of {len(header)} columns; "
                    "put values that hold the delimiter, quotes or line ends into double quotes"
                )
            row: dict[str, object] = dict(zip(header, values, strict=True))
            if tokens in row and are_lists is not False:
                found = texts_in(str(row[tokens]))
                if are_lists and found is None:
                    raise DataError(f"{where}: {str(row[tokens])[:50]!r} is no list of tokens, as the first is")
                are_lists = found is not None
                row[tokens] = row[tokens] if found is None else found
            yield Row(where, row)

    notes = (f"{text.name}: columns are parted by {delimiter!r}",) * (delimiter != _DELIMITERS[kind][0])
    return Table(text.name, rows, tuple(header), notes=(*text.notes, *notes))


def _header(text: TextFile, delimiter: str) -> list[str]:
    """The names of the columns, without white space or a second byte order mark around them."""
    return [name.strip("\ufeff \t\r\n") for name in next((values for _, values in _csv_records(text, delimiter)), [])]


def _delimiter(text: TextFile, source: Source, kind: str) -> str:
    """The one that was named, or the first with which the first line names the column of the texts."""
    if source.delimiter:
        named = source.delimiter.replace("\\t", "\t")
        if len(named) != 1 or named in '"\r\n':
            raise DataError(f"--delimiter {source.delimiter!r} is not one character that can part columns")
        return named
    for delimiter in _DELIMITERS[kind]:
        with suppress(DataError):  # quotes that fit another delimiter
            if source.columns.text in _header(text, delimiter):
                return delimiter
    return _DELIMITERS[kind][0]


def _csv_records(text: TextFile, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Each record with the number of its first line."""
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    reader = csv.reader((line for _, line in text.lines()), delimiter=delimiter, strict=True)
    line = 1
    try:
        for values in reader:
            if delimiter == "\t" and any("\n" in value and "\t" in value for value in values):
                raise DataError(
                    f"{text.name}, line {line}: a value runs from a double quote over line ends and tabs to another; "
                    "put values that hold double quotes into double quotes, their own quotes doubled"
                )
            yield line, values
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"{text.name}, line {line}: {error}; "
            "a value that holds quotes goes into double quotes, its own quotes doubled"
        ) from None


READERS = (
    Reader("csv", partial(open_delimited, kind="csv"), (".csv",)),
    Reader("tsv", partial(open_delimited, kind="tsv"), (".tsv", ".tab")),
)
