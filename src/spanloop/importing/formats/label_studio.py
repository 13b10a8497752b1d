"""Label Studio's JSON and JSON-MIN exports (https://labelstud.io/guide/export)."""

from typing import Any

from spanloop.config import ColumnsConfig
from spanloop.errors import DataError
from spanloop.importing.offset_units import code_points, unit_that_fits
from spanloop.importing.readers import Row
from spanloop.importing.tool_exports import as_object, json_export
from spanloop.importing.wording import shown
from spanloop.records import Span

_IN_UTF_16 = "annotations whose offsets count UTF-16 units, as browsers do, converted to characters"
_Spans = list[dict[str, Any]]


def _is_label_studio(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    is_task = isinstance(value.get("data"), dict) and isinstance(value.get("annotations"), list)
    return is_task or ("annotation_id" in value and "annotator" in value)


def _row(where: str, value: Any, columns: ColumnsConfig) -> Row:
    """The row of a task; one whose annotations were all cancelled is a text that nobody annotated."""
    task = as_object(where, value)
    remarks: list[str] = []
    if "data" in task:
        values = {"id": task.get("id"), **as_object(where, task["data"])}
        regions = _chosen(task.get("annotations") or [], where, remarks)
    else:
        values, regions = dict(task), _regions_of_min(task)
    text = _text(values, columns, where)
    spans = None if regions is None else _spans(regions, text, where, remarks)
    return Row(where, {**values, columns.text: text, columns.spans: spans}, tuple(remarks))


def _text(values: dict[str, Any], columns: ColumnsConfig, where: str) -> Any:
    if columns.text in values:
        return values[columns.text]
    texts = [name for name, value in values.items() if isinstance(value, str)]
    if "text" in values or len(texts) == 1:
        return values.get("text", values[texts[0]] if texts else None)
    names = ", ".join(map(shown, values))
    raise DataError(f"{where}: no column {columns.text!r}; there are: {names}. Name the right one with --text")


def _chosen(annotations: Any, where: str, remarks: list[str]) -> list[Any] | None:
    """The regions of the annotation to take: the ground truth, or the one that there is."""
    if not isinstance(annotations, list) or not all(isinstance(item, dict) for item in annotations):
        raise DataError(f"{where}: 'annotations' is no list of objects; export it again as JSON")
    valid = [item for item in annotations if not item.get("was_cancelled")]
    remarks += ["annotations left out, they were cancelled"] * (len(annotations) - len(valid))
    truths = [item for item in valid if item.get("ground_truth")]
    regions = [item.get("result") or [] for item in (truths if len(truths) == 1 else valid)]
    if any(_marks(other) != _marks(regions[0]) for other in regions[1:]):
        raise DataError(f"{where}: {len(regions)} annotations that differ; make one the ground truth, or keep one")
    remarks += ["annotations left out, the same as another one of their text"] * (len(valid) - 1 if valid else 0)
    return regions[0] if regions else None


def _marks(regions: list[Any]) -> set[str]:
    return {str(region.get("value")) for region in regions if isinstance(region, dict)}


def _regions_of_min(task: dict[str, Any]) -> list[Any] | None:
    """The regions in JSON-MIN: a list under the name of the question."""
    lists = [value for value in task.values() if isinstance(value, list)]
    found = [item for value in lists for item in value if isinstance(item, dict) and "labels" in item]
    return [{"type": "labels", "value": item} for item in found] if task.get("annotation_id") is not None else None


def _spans(regions: list[Any], text: Any, where: str, remarks: list[str]) -> _Spans:
    found: _Spans = []
    for region in regions:
        value = region.get("value") if isinstance(region, dict) else None
        if not isinstance(value, dict) and not _is_relation(region):
            raise DataError(f"{where}: {str(region)[:50]!r} is no region of a text")
        if not isinstance(value, dict) or not any(key.endswith("labels") for key in value):
            remarks.append("regions left out, they mark no words: choices, relations or ratings")
            continue
        labels = value.get("labels")
        if not isinstance(labels, list):
            raise DataError(f"{where}: {str(region)[:50]!r} is no region of plain text; only those can be read")
        place = {"start": value.get("start"), "end": value.get("end"), "text": value.get("text")}
        found += [{**place, "label": label} for label in labels or [None]]
    return _in_characters(found, text, remarks) if isinstance(text, str) else found


def _is_relation(region: Any) -> bool:
    return isinstance(region, dict) and region.get("type") == "relation"


def _in_characters(found: _Spans, text: str, remarks: list[str]) -> _Spans:
    """The spans in code points, where the words that the file says show that they are in UTF-16 units."""
    if not all(type(x["start"]) is int and type(x["end"]) is int and isinstance(x["text"], str) for x in found):
        return found
    spans = [Span(x["start"], x["end"], "") for x in found]
    if all(text[x.start : x.end] == said["text"] for x, said in zip(spans, found, strict=True)):
        return found
    if unit_that_fits(text, spans, [x["text"] for x in found]) != "UTF-16 units":
        return found
    places = code_points(text, "UTF-16 units")
    remarks.append(_IN_UTF_16)
    return [{**x, "start": places[x["start"]], "end": places[x["end"]]} for x in found]


READERS = (json_export("label-studio", _is_label_studio, _row),)
