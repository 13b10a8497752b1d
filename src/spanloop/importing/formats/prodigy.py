"""Prodigy's JSON lines (https://prodi.gy/docs/api-interfaces#ner_manual): `spans`, and the annotator's `answer`."""

from typing import Any

from spanloop.config import ColumnsConfig
from spanloop.errors import DataError
from spanloop.importing.readers import Row
from spanloop.importing.tool_exports import REFUSALS, as_object, json_export, without_annotation

_ANSWERS = ("accept", *REFUSALS)


def _is_prodigy(value: Any) -> bool:
    return isinstance(value, dict) and (
        str(value.get("answer")).lower() in _ANSWERS or "_task_hash" in value or "_input_hash" in value
    )


def _row(where: str, value: Any, columns: ColumnsConfig) -> Row:
    """The row of a task; what was rejected or ignored is told apart where rows of every format are."""
    values = as_object(where, value)
    answer, spans = values.get("answer"), values.get(columns.spans)
    row = Row(where, {**values, columns.spans: spans})
    if answer is None:
        return row
    answer = str(answer).lower()
    if answer not in _ANSWERS:
        raise DataError(f"{where}: answer {answer[:50]!r} is none of {', '.join(_ANSWERS)}; correct it")
    if answer == "accept" and spans is None:
        return without_annotation(row, columns, "accepted texts left without annotation, they have no 'spans'")
    return row


READERS = (json_export("prodigy", _is_prodigy, _row),)
