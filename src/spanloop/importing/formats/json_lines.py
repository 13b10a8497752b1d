"""JSON lines, or a list of JSON objects."""

from collections.abc import Iterator

from spanloop.errors import DataError
from spanloop.importing.json_text import json_values
from spanloop.importing.readers import Reader, Row, Source, Table
from spanloop.importing.text_files import open_text


def open_json_lines(source: Source) -> Table:
    """A file with one JSON object a line, or one list of objects; rows may have different keys."""
    text = open_text(source)

    def rows() -> Iterator[Row]:
        for where, values in json_values(text):
            if not isinstance(values, dict):
                raise DataError(f"{where}: not a JSON object but a {type(values).__name__}; write one {{...}} a line")
            yield Row(where, values)

    return Table(text.name, rows, notes=text.notes)


READERS = (Reader("jsonl", open_json_lines, (".jsonl", ".ndjson", ".json")),)
