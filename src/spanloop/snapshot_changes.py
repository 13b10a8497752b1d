"""What makes one snapshot differ from another: the content of its records."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from spanloop.records import SPLITS, Annotation, Span
from spanloop.snapshot_table import read_columns


@dataclass(frozen=True, slots=True)
class Changes:
    """Record ids by what happened to them since the parent snapshot, each list sorted.

    Attributes:
        added: Not in the parent.
        changed: In the parent with another text, group or other spans.
        removed: In the parent only.
    """

    added: list[str]
    changed: list[str]
    removed: list[str]


def digest_record(record_id: str, group: str, text: str, spans: Iterable[Span]) -> bytes:
    """Hash what a record contributes to the content of a snapshot.

    Annotators and their agreement are left out: who agreed on the spans does not change what a model learns.

    Args:
        record_id: The record's id.
        group: Its group.
        text: Its text.
        spans: Its spans, in any order.

    Returns:
        32 bytes.
    """
    content = [record_id, group, text, sorted((span.start, span.end, span.label) for span in spans)]
    return hashlib.sha256(json.dumps(content, separators=(",", ":")).encode("ascii")).digest()


def digest_annotation(annotation: Annotation) -> bytes:
    """Hash an annotation; see `digest_record`."""
    return digest_record(annotation.record_id, annotation.group, annotation.text, annotation.spans)


def changes_since(parent: Path | None, annotations: Sequence[Annotation]) -> Changes:
    """Compare annotations with a snapshot.

    Args:
        parent: The snapshot's folder; None: there is none, everything is added.
        annotations: The new content, one annotation a record.

    Returns:
        What was added, changed and removed.

    Raises:
        StoreError: The parent is corrupt; names the file.
    """
    before = _digests(parent) if parent else {}
    now = {annotation.record_id: digest_annotation(annotation) for annotation in annotations}
    return Changes(
        added=sorted(now.keys() - before.keys()),
        changed=sorted(x for x in now.keys() & before.keys() if now[x] != before[x]),
        removed=sorted(before.keys() - now.keys()),
    )


def _digests(snapshot: Path) -> dict[str, bytes]:
    digests: dict[str, bytes] = {}
    for split in SPLITS:
        columns = read_columns(snapshot, split, ["id", "group", "text", "spans"])
        digests |= {row[0]: digest_record(*row) for row in zip(*columns.values(), strict=True)}
    return digests
