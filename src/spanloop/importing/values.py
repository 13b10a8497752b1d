"""Values of a row to the parts of a record, each with its complaint."""

import hashlib
import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from spanloop.errors import DataError, LabelError
from spanloop.importing.tags import join_tokens, spans_of_tags
from spanloop.records import Span

MOST_CHARACTERS = 65_536  # some browsers cut longer texts into pieces, and offsets would start again in each

Offsets = list[tuple[int, int]]


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


def read_name(value: Any, column: str, where: str) -> str:
    """An id or a part of one, or a group: text or a whole number."""
    if isinstance(value, str) and value.strip():
        return value.strip()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    shown = "is empty" if value is None or value == "" else f"holds {str(value)[:50]!r}, neither text nor a number"
    raise DataError(f"{where}: column {column!r} {shown}; fill it, or name another column")


def hashed_name(group: str, text: str) -> str:
    """The id of a record whose file has none: the same text of the same group gets the same one."""
    return hashlib.sha256(f"{group}\0{text}".encode()).hexdigest()[:16]


def read_spans(value: Any, offsets: Offsets | None, where: str) -> list[Span] | None:
    """The spans of a row: JSON or a list of `{start, end, label}`, of `[start, end, label]`, or of one tag a token.

    Args:
        value: The value; None and empty text mean that nobody annotated the record, an empty list that it has no span.
        offsets: Places of the tokens, where the text is a list of tokens.
        where: The place, for errors.

    Raises:
        DataError: It is none of these.
    """
    if value is None or value == "":
        return None
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise DataError(
                f'{where}: spans are not JSON; write e.g. [{{"start": 0, "end": 5, "label": "x"}}]'
            ) from None
    if not isinstance(value, list):
        raise DataError(f"{where}: spans are of type {type(value).__name__}, not a list")
    if offsets is not None and value and all(isinstance(tag, str) for tag in value):
        return spans_of_tags(value, offsets, where)
    return [_span(item, where) for item in value]


def check_spans(
    spans: Sequence[Span], text: str, labels: Sequence[str], overlapping: bool, where: str
) -> tuple[Span, ...]:
    """Spans that Argilla will take: sorted, exact duplicates merged. Without `labels`, every label will do.

    Raises:
        DataError: A span is empty, outside the text, overlaps another where it may not, or has an unknown label.
    """
    ordered = sorted(set(spans))
    for span in ordered:
        if not 0 <= span.start < span.end <= len(text):
            raise DataError(
                f"{where}: span {span.start}-{span.end} ({span.label}) does not fit the text, {len(text)} characters; "
                "offsets count characters from 0, and the end is not included"
            )
        if labels and span.label not in labels:
            known = ", ".join(labels[:8]) + ", …" * (len(labels) > 8)
            raise LabelError(
                f"{where}: label {span.label!r} is not in task.labels ({known}); add it there, or correct the file"
            )
    for one, other in pairwise(ordered):
        if not overlapping and other.start < one.end:
            raise DataError(
                f"{where}: spans {one.start}-{one.end} ({one.label}) and {other.start}-{other.end} ({other.label}) "
                "overlap; correct the file, or set task.allow_overlapping before the dataset is created"
            )
    return tuple(ordered)


def _span(item: Any, where: str) -> Span:
    if isinstance(item, dict):
        item = [item.get("start"), item.get("end"), item.get("label")]
    if isinstance(item, list | tuple) and len(item) == 3:
        start, end, label = item
        if type(start) is int and type(end) is int and isinstance(label, str) and label:
            return Span(start, end, label)
    raise DataError(f"{where}: {str(item)[:80]!r} is no span; write start, end (whole numbers) and label (text)")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
