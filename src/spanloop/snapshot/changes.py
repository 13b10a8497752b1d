"""What makes one snapshot differ from another: the content of its records."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from spanloop.records import SPLITS, Annotation, Span
from spanloop.snapshot.table import read_columns


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

    def ids(self) -> dict[str, list[str]]:
        """The three lists by name."""
        return {"added": self.added, "changed": self.changed, "removed": self.removed}


def digest_record(record_id: str, group: str, text: str, spans: Iterable[Span]) -> bytes:
    """Hash what a record contributes to the content of a snapshot, whatever the order of its spans: 32 bytes.

    Annotators and their agreement are left out: who agreed on the spans does not change what a model learns.
    """
    marks = [f"{span.start} {span.end} {len(span.label)} {span.label}" for span in sorted(spans)]
    # Lengths go first, so that no two records are written alike.
    content = f"{len(record_id)} {len(group)} {len(text)} {len(marks)} {record_id}{group}{text}{''.join(marks)}"
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).digest()


def digest_annotations(annotations: Iterable[Annotation]) -> dict[str, bytes]:
    """Hash annotations, by record id in sorted order; see `digest_record`."""
    rows = sorted(annotations, key=lambda annotation: annotation.record_id)
    return {row.record_id: digest_record(row.record_id, row.group, row.text, row.spans) for row in rows}


def changes_since(parent: Path | None, now: Mapping[str, bytes]) -> Changes:
    """Compare content with a snapshot.

    Args:
        parent: The snapshot's folder; None: there is none, everything is added.
        now: The new content, as `digest_annotations` gives it.

    Returns:
        What was added, changed and removed.

    Raises:
        StoreError: The parent is corrupt; names the file.
    """
    before = _digests(parent) if parent else {}
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
