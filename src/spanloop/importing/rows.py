"""Rows to records: which column holds what, and every record checked."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from spanloop.config import ColumnsConfig, LoopConfig
from spanloop.errors import DataError
from spanloop.importing.offset_units import OffsetUnits
from spanloop.importing.readers import Row, Table
from spanloop.importing.remarks import Remarks
from spanloop.importing.repeats import NumbersMadeFloats, SeenRecords
from spanloop.importing.tool_exports import without_refused
from spanloop.importing.values import Marked, check_spans, hashed_name, is_missing, read_name, read_spans, read_text
from spanloop.importing.wording import shown
from spanloop.records import Span

_CONTROLS = re.compile("[\x80-\x84\x86-\x9f]")  # U+0085 ends lines in some systems

# What becomes of the annotations of a file.
AnnotationsAs = Literal["nothing", "responses", "suggestions"]


@dataclass(frozen=True, slots=True)
class Imported:
    """A record as a file holds it.

    Attributes:
        id: Its stable id.
        group: The document it came from.
        text: The text.
        spans: Its annotation in code points of the text, sorted; None where nobody annotated it.
        where: Its place in the file, for messages.
        left_out: The labels of spans that the mapping leaves out.
    """

    id: str
    group: str
    text: str
    spans: tuple[Span, ...] | None
    where: str
    left_out: tuple[str, ...] = ()


def parse_records(
    table: Table, config: LoopConfig, *, annotated: bool = False, remarks: Remarks | None = None
) -> Iterator[Imported]:
    """Read and check a source, record by record.

    Without a column for ids, a record's id is a hash of group and text, and a text that comes again is the same record:
    the one with an annotation is taken, and those without any come last.

    Args:
        table: The source.
        config: Columns, labels, and whether spans may overlap.
        annotated: Spans are wanted: their column must be there, and they are checked.
        remarks: Gets what the file holds and no record does.

    Raises:
        DataError: A column is missing, or a record is not what it should be; the message names file and place.
    """
    columns = ColumnsConfig() if table.own_columns else config.columns
    _check_columns(table, columns, annotated)
    noted = remarks or Remarks()
    seen, numbers, units = SeenRecords(noted), NumbersMadeFloats(), OffsetUnits()
    has_spans, names = table.own_columns, []
    for read in table.rows():
        row = without_refused(read, columns)
        has_spans, names = has_spans or columns.spans in read.values, list(read.values)
        record, is_hashed = _record(row, columns, config, annotated, units)
        for remark in _remarks(row if annotated else None, record):
            noted.add(remark, row.where)
        if is_hashed:
            if not seen.is_next(record.id, record.spans, record.where, annotated=annotated):
                continue
        else:
            seen.refuse_again(record.id, record.where)
        for part in {*columns.id, columns.group} & row.values.keys():
            if not is_missing(row.values[part]):
                numbers.add(part, str(row.values[part]))
        yield record
    numbers.refuse(table.name)
    units.refuse()
    if annotated and names and not has_spans:
        raise _missing(table.name, columns.spans, "--spans", names)
    if seen.waiting:
        for row in table.rows():
            record, is_hashed = _record(without_refused(row, columns), columns, config, annotated, units)
            if is_hashed and seen.waiting.pop(record.id, None) is not None:
                yield record


def _remarks(row: Row | None, record: Imported) -> Iterator[str]:
    """What to tell of a row, where its annotation is wanted, and of its record."""
    yield from row.remarks if row else ()
    if _CONTROLS.search(record.text):
        yield "texts hold control characters, as where cp1252 was read as latin1: look at them"
    yield from (f"spans of {label!r} left out, as task.mapping says" for label in record.left_out)


def _check_columns(table: Table, columns: ColumnsConfig, annotated: bool) -> None:
    """Tell at once what no row of the table can have; without a common header each row tells."""
    if not table.columns:
        return
    for name, flag in _required(columns, annotated):
        if name not in table.columns:
            raise _missing(table.name, name, flag, list(table.columns))


def _required(columns: ColumnsConfig, annotated: bool) -> list[tuple[str, str]]:
    """Columns that must be there, with their flags: the text, and those that the user named."""
    named = ColumnsConfig()
    required = [(columns.text, "--text")]
    required += [(name, "--id") for name in columns.id if columns.id != named.id]
    required += [(columns.group, "--group")] * (columns.group != named.group)
    return required + [(columns.spans, "--spans")] * annotated


def _record(
    row: Row, columns: ColumnsConfig, config: LoopConfig, annotated: bool, units: OffsetUnits
) -> tuple[Imported, bool]:
    """The record of a row, and whether its id is a hash."""
    values, where = row.values, row.where
    for name, flag in _required(columns, annotated=False):
        if name not in values:
            raise _missing(where, name, flag, list(values))
    text, offsets = read_text(values[columns.text], where)
    group = _group(values, columns, where)
    parts = [read_name(values[part], part, where) for part in columns.id if part in values]
    has_id = len(parts) == len(columns.id)
    name = "/".join(parts) if has_id else hashed_name(group, text)
    spans, left_out = None, tuple[str, ...]()
    if annotated:
        found = read_spans(values.get(columns.spans), offsets, where)
        if found is not None:
            left_out = tuple(x.span.label for x in found if config.task.meaning_of(x.span.label) == "")
            found = [_in_todays_labels(x, config) for x in found if x.span.label not in left_out]
            spans = check_spans(found, text, config.task.labels, config.task.allow_overlapping, where)
            units.add(text, [one.span for one in found if one.content is None], where)
    return Imported(name, group or name, text, spans, where, left_out), not has_id


def _in_todays_labels(marked: Marked, config: LoopConfig) -> Marked:
    """A span of a file under the label that its own has become."""
    label = config.task.meaning_of(marked.span.label) or marked.span.label
    return replace(marked, span=replace(marked.span, label=label))


def _group(values: Mapping[str, Any], columns: ColumnsConfig, where: str) -> str:
    value = values.get(columns.group)
    return "" if is_missing(value) else read_name(value, columns.group, where)


def _missing(where: str, name: str, flag: str, there: list[str]) -> DataError:
    names = ", ".join(map(shown, there[:12])) + ", …" * (len(there) > 12)
    return DataError(f"{where}: no column {name!r}; there are: {names}. Name the right one with {flag}")
