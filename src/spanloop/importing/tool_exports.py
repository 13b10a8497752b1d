"""What the exports of annotation tools have in common: JSON values, each of them turned into a row."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from spanloop.config import ColumnsConfig
from spanloop.errors import DataError
from spanloop.importing.json_text import first_values, json_values
from spanloop.importing.readers import Reader, Row, Source, Table
from spanloop.importing.text_files import open_text

REFUSALS = ("reject", "ignore")


def json_export(name: str, is_of_it: Callable[[Any], bool], turn: Callable[[str, Any, ColumnsConfig], Row]) -> Reader:
    """The reader of a tool's export in JSON or JSON lines.

    Args:
        name: What `--format` calls it.
        is_of_it: Whether a value can only be of this tool; one among the first of a file is enough.
        turn: Makes a row of a value, its annotation in the column `columns.spans`.
    """

    def open_export(source: Source) -> Table:
        text = open_text(source)

        def rows() -> Iterator[Row]:
            for where, value in json_values(text):
                yield turn(where, value, source.columns)

        return Table(text.name, rows, notes=(*text.notes, f"{text.name} is read as an export of {name}"))

    return Reader(name, open_export, recognises=lambda source: any(map(is_of_it, first_values(source))), within="jsonl")


def as_object(where: str, value: Any) -> dict[str, Any]:
    """The value, if it is a JSON object.

    Raises:
        DataError: It is none.
    """
    if not isinstance(value, dict):
        raise DataError(f"{where}: not a JSON object but a {type(value).__name__}; is it the file of another tool?")
    return value


def without_annotation(row: Row, columns: ColumnsConfig, remark: str) -> Row:
    """The row as one that nobody annotated, and why."""
    return replace(row, values={**row.values, columns.spans: None}, remarks=(*row.remarks, remark))


def without_refused(row: Row, columns: ColumnsConfig) -> Row:
    """The row, as one that nobody annotated where an annotator refused it: Prodigy's `answer`, in whatever format."""
    answer = str(row.values.get("answer")).lower()
    if answer not in REFUSALS or "answer" in (columns.text, columns.spans):
        return row
    return without_annotation(row, columns, f"annotations left out, their answer is {answer!r}")


def is_span(item: Any) -> bool:
    """Whether it is like `[0, 4, "PER"]`."""
    return isinstance(item, list) and len(item) >= 3 and [type(part) for part in item[:3]] == [int, int, str]
