"""What annotations must be before they become a snapshot."""

from collections.abc import Sequence
from difflib import get_close_matches
from itertools import pairwise

from spanloop.errors import DataError, LabelError
from spanloop.records import Annotation
from spanloop.spans import find_clash


def check_annotations(rows: Sequence[Annotation], labels: Sequence[str]) -> None:
    """Refuse annotations from which no data set can be made.

    Args:
        rows: Annotations, sorted by record id.
        labels: The label scheme.

    Raises:
        LabelError: There is no label, or a span carries one outside of the scheme.
        DataError: A record stands twice, has no text or broken text, or spans that are empty, overlap one of
            their label, or lie outside.
    """
    if not labels:
        raise LabelError("no labels are configured; list them under task.labels in spanloop.yaml")
    for before, row in pairwise(rows):
        if before.record_id == row.record_id:
            raise DataError(f"record {row.record_id!r} stands twice; every record needs an id of its own")
    known = frozenset(labels)
    for row in rows:
        _check_text(row)
        clash = find_clash(row.spans)
        for span in row.spans:
            if span.label not in known:
                raise LabelError(_unknown_label(row.record_id, span.label, labels))
            if span is clash or not 0 <= span.start < span.end <= len(row.text):
                raise DataError(
                    f"record {row.record_id!r}: span {span.start}-{span.end} {span.label!r} is empty, overlaps one of "
                    f"its label or leaves the text of {len(row.text)} characters; mark it again in Argilla"
                )


def _check_text(row: Annotation) -> None:
    if not row.text.strip():
        raise DataError(f"record {row.record_id!r} has no text; delete it in Argilla")
    try:
        row.text.encode()
    except UnicodeEncodeError as error:
        raise DataError(
            f"record {row.record_id!r} has half a character (a lone surrogate) at {error.start}; import a repaired text"
        ) from None


def _unknown_label(record_id: str, label: str, labels: Sequence[str]) -> str:
    folded = {known.casefold(): known for known in labels}
    close = [folded[x] for x in get_close_matches(label.casefold(), folded, n=1, cutoff=0.5)]
    renamed = f" (was it renamed to {close[0]!r}?)" if close else ""
    return (
        f"record {record_id!r} carries the label {label!r}, which is none of {', '.join(labels)}{renamed}; "
        "say in task.mapping what became of it, or mark the record again"
    )
