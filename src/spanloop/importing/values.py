"""Values of a row to the parts of a record, each with its complaint."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from spanloop.errors import DataError, LabelError
from spanloop.importing.literals import list_in
from spanloop.importing.offset_units import CONVERSIONS, unit_that_fits
from spanloop.importing.tags import join_tokens, spans_of_tags
from spanloop.importing.wording import shown
from spanloop.records import Span

MOST_CHARACTERS = 65_536  # some browsers cut longer texts into pieces, and offsets would start again in each

_NOTHING = ("", "nan", "NaN", "<NA>", "None", "NULL", "null")

Offsets = list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Marked:
    """A span as a file says it.

    Attributes:
        span: Its offsets as they stand there, and its label.
        content: The words that it marks, where the file says them.
    """

    span: Span
    content: str | None = None


def read_text(value: Any, where: str) -> tuple[str, Offsets | None]:
    """The text, and the places of its tokens where the value is a list of tokens.

    Raises:
        DataError: It is empty, too long, no text, or holds characters that cannot be stored.
    """
    text, offsets = value, None
    if isinstance(value, list) and all(isinstance(token, str) for token in value):
        text, offsets = join_tokens(value)
    if text is None or text == "" or (isinstance(text, str) and not text.strip()):
        raise DataError(f"{where}: the text is empty; remove the record, or name another column with --text")
    if not isinstance(text, str):
        raise DataError(f"{where}: the text is of type {type(text).__name__}; name a column of text with --text")
    if len(text) > MOST_CHARACTERS:
        raise DataError(
            f"{where}: the text has {len(text):,} characters, more than the {MOST_CHARACTERS:,} that can be annotated; "
            "cut it into several records of one group"
        )
    if "\0" in text or not _is_unicode(text):
        raise DataError(f"{where}: the text holds U+0000 or half a surrogate pair; remove that character")
    return text, offsets


def is_missing(value: Any) -> bool:
    """Whether a cell is empty: no value, no text, or what pandas and databases write for it."""
    return value is None or value in _NOTHING or (isinstance(value, float) and math.isnan(value))


def read_name(value: Any, column: str, where: str) -> str:
    """An id or a part of one, or a group: text or a whole number."""
    if isinstance(value, str) and value.strip() and not is_missing(value):
        return value.strip()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and value.is_integer():
        raise DataError(f"{where}: column {column!r} holds {value}, {_MADE_FLOATS}")
    fault = "is empty" if is_missing(value) else f"holds {str(value)[:50]!r}, neither text nor a number"
    raise DataError(f"{where}: column {column!r} {fault}; fill it, or name another column")


def refuse_floats(name: str, column: str, example: str) -> DataError:
    """What is wrong with a column of ids each of which reads like `12.0`."""
    return DataError(f"{name}: every value of column {column!r} is like {example}, {_MADE_FLOATS}")


_MADE_FLOATS = (
    "a whole number that became a fraction, as pandas makes them where a value is missing; "
    'write whole numbers, e.g. with astype("Int64"), so that ids stay the same'
)


def hashed_name(group: str, text: str) -> str:
    """The id of a record whose file has none: the same text of the same group gets the same one."""
    return hashlib.sha256(f"{group}\0{text}".encode()).hexdigest()[:16]


def read_spans(value: Any, offsets: Offsets | None, where: str) -> list[Marked] | None:
    """The spans of a row: `{start, end, label}` or `[start, end, label]`, or one tag a token; a list, or text of one.

    Args:
        value: The value; None and empty text mean that nobody annotated the record, an empty list that it has no span.
        offsets: Places of the tokens, where the text is a list of tokens.
        where: The place, for errors.

    Raises:
        DataError: It is none of these.
    """
    if is_missing(value):
        return None
    if isinstance(value, str):
        found = list_in(value)
        if found is None:
            raise DataError(f'{where}: spans are not JSON; write e.g. [{{"start": 0, "end": 5, "label": "x"}}]')
        value = found
    if isinstance(value, dict) and all(isinstance(value.get(key), list) for key in ("start", "end", "label")):
        parts = [value["start"], value["end"], value["label"]]
        if len(set(map(len, parts))) > 1:
            raise DataError(f"{where}: start, end and label are lists of different lengths; each span has one of each")
        value = [list(span) for span in zip(*parts, strict=True)]
    if not isinstance(value, list):
        raise DataError(f"{where}: spans are of type {type(value).__name__}, not a list")
    if value and all(isinstance(tag, int) for tag in value):
        raise DataError(f"{where}: the tags are numbers, and the file does not name them; write B-name, I-name and O")
    if offsets is not None and value and all(isinstance(tag, str) for tag in value):
        return [Marked(span) for span in spans_of_tags(value, offsets, where)]
    return [_marked(item, where) for item in value]


def check_spans(
    marked: Sequence[Marked], text: str, labels: Sequence[str], overlapping: bool, where: str
) -> tuple[Span, ...]:
    """Spans that Argilla will take: sorted, exact duplicates merged. Without `labels`, every label will do.

    Raises:
        DataError: A span is empty, outside the text, not on the words that the file says, overlaps another where it may
            not, or has an unknown label.
    """
    for one in marked:
        _check_place(one, marked, text, where)
    ordered = sorted({one.span for one in marked})
    for span in ordered:
        if labels and span.label not in labels:
            known = ", ".join(labels[:8]) + ", …" * (len(labels) > 8)
            raise LabelError(
                f"{where}: label {span.label!r} is not in task.labels ({known}); add it there, say in task.mapping "
                "what became of it, or correct the file"
            )
    for before, after in pairwise(ordered):
        if not overlapping and after.start < before.end:
            two = " and ".join(f"{span.start}-{span.end} ({shown(span.label)})" for span in (before, after))
            raise DataError(
                f"{where}: spans {two} overlap; correct the file, "
                "or set task.allow_overlapping before the dataset is created"
            )
    return tuple(ordered)


def _check_place(one: Marked, marked: Sequence[Marked], text: str, where: str) -> None:
    span = one.span
    named = f"{where}: span {span.start}-{span.end} ({shown(span.label)})"
    if 0 <= span.start < span.end <= len(text):
        found = text[span.start : span.end]
        if not found.strip():
            raise DataError(f"{named} marks white space alone; correct the file")
        if one.content is None or found.split() == one.content.split():
            return
        fault = f"{named} marks {found[:40]!r}, and the file says {one.content[:40]!r}"
    else:
        fault = f"{named} does not fit the text, {len(text)} characters"
    unit = unit_that_fits(text, [x.span for x in marked], [x.content for x in marked])
    if unit:
        raise DataError(f"{fault}; the offsets count {unit}: {CONVERSIONS[unit]}")
    raise DataError(f"{fault}; offsets count characters from 0, and the end is not included")


def _marked(item: Any, where: str) -> Marked:
    content = None
    if isinstance(item, dict):
        content, labels = item.get("text"), item.get("labels")
        label = labels[0] if isinstance(labels, list) and len(labels) == 1 else None  # as Label Studio's CSV has it
        item = [item.get("start"), item.get("end"), item.get("label", label)]
    if isinstance(item, list | tuple) and len(item) == 3:
        start, end, label = item
        if type(start) is int and type(end) is int and isinstance(label, str) and label:
            return Marked(Span(start, end, label), content if isinstance(content, str) else None)
    raise DataError(f"{where}: {str(item)[:80]!r} is no span; write start, end (whole numbers) and label (text)")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
