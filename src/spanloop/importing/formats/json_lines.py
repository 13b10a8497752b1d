"""JSON lines."""

import json
from collections.abc import Iterator

from spanloop.errors import DataError
from spanloop.importing.readers import Reader, Row, Source, Table, text_lines


def open_json_lines(source: Source) -> Table:
    """A file with one JSON object a line, in UTF-8; rows may have different keys."""
    path = source.path

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


READERS = (Reader("jsonl", open_json_lines, (".jsonl", ".ndjson")),)
