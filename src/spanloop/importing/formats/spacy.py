"""spaCy's training data: `{"text", "entities"}`, `["text", {"entities"}]`, or the `ents` of `Doc.to_json`."""

from typing import Any

from spanloop.config import ColumnsConfig
from spanloop.importing.readers import Row
from spanloop.importing.tool_exports import as_object, is_span, json_export


def _is_spacy(value: Any) -> bool:
    if isinstance(value, list):
        return len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], dict) and "entities" in value[1]
    if not isinstance(value, dict) or not isinstance(value.get("text"), str) or "spans" in value:
        return False
    entities = value.get("entities")
    return isinstance(value.get("ents"), list) or (isinstance(entities, list) and any(map(is_span, entities)))


def _row(where: str, value: Any, columns: ColumnsConfig) -> Row:
    if isinstance(value, list) and len(value) == 2 and isinstance(value[1], dict):
        value = {columns.text: value[0], **value[1]}
    values = as_object(where, value)
    found = next((values[key] for key in (columns.spans, "entities", "ents") if values.get(key) is not None), None)
    spans = [item[:3] if is_span(item) else item for item in found] if isinstance(found, list) else found
    return Row(where, {**values, columns.spans: spans})


READERS = (json_export("spacy", _is_spacy, _row),)
