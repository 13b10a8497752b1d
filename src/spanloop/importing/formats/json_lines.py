"""JSON lines."""

import json
from collections.abc import Iterator

from spanloop.errors import DataError
from spanloop.importing.readers import Reader, Row, Source, Table
from spanloop.importing.text_files import open_text


def open_json_lines(source: Source) -> Table:
    """A file with one JSON object a line; rows may have different keys."""
    text = open_text(source)

    def rows() -> Iterator[Row]:
        for number, line in text.lines():
            where = f"{text.name}, line {number}"
            if not line.strip():
                continue
            try:
                values = json.loads(line)
            except ValueError as error:
                raise DataError(f"{where}: not JSON ({error}); every line must be one JSON object") from None
            if not isinstance(values, dict):
                raise DataError(f"{where}: not a JSON object but a {type(values).__name__}; write one {{...}} a line")
            yield Row(where, values)

    return Table(text.name, rows, notes=text.notes)


READERS = (Reader("jsonl", open_json_lines, (".jsonl", ".ndjson")),)
