"""doccano's JSON lines (https://doccano.github.io/doccano/): `label`, or `entities` with start and end offsets."""

from typing import Any

from spanloop.config import ColumnsConfig
from spanloop.importing.readers import Row
from spanloop.importing.tool_exports import as_object, is_span, json_export

_KEYS = ("label", "labels", "entities")
_NOT_SURE = "texts without a label taken as answered; doccano can export the approved ones alone"


def _is_doccano(value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("text"), str) or "spans" in value:
        return False
    listed = [*_listed(value.get("label")), *_listed(value.get("labels"))]
    entities = _listed(value.get("entities"))
    return any(map(is_span, listed)) or any(isinstance(item, dict) and "start_offset" in item for item in entities)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _row(where: str, value: Any, columns: ColumnsConfig) -> Row:
    values = as_object(where, value)
    found = next((values[key] for key in (columns.spans, *_KEYS) if values.get(key) is not None), None)
    remarks = ["relations left out"] * len(_listed(values.get("relations"))) + [_NOT_SURE] * (found == [])
    spans = [_span(item) for item in found] if isinstance(found, list) else found
    return Row(where, {**values, columns.spans: spans}, tuple(remarks))


def _span(item: Any) -> Any:
    if isinstance(item, dict) and "start_offset" in item:
        return {"start": item["start_offset"], "end": item.get("end_offset"), "label": item.get("label")}
    return item


READERS = (json_export("doccano", _is_doccano, _row),)
