"""The file of a model's folder with what its training says about the annotations: a line for each record."""

import json
from collections.abc import Iterable
from dataclasses import astuple
from pathlib import Path

from spanloop.durable import replace_file, told_as_store_errors
from spanloop.errors import StoreError
from spanloop.records import Evidence, ScoredSpan

EVIDENCE = "evidence.jsonl"
"""Its name."""

_SIDES = ("marked", "found")


def write_evidence(path: Path, evidence: Iterable[Evidence]) -> Path:
    """Write evidence as JSON lines, a span as `[start, end, label, score]`; the file appears when it is whole.

    Raises:
        StoreError: The disk is full or the folder cannot be written.
    """
    rows = ({"id": e.record_id, **{side: list(map(astuple, getattr(e, side))) for side in _SIDES}} for e in evidence)
    with told_as_store_errors(f"write {path.name}", path):
        replace_file(path, (json.dumps(row, separators=(",", ":")) + "\n" for row in rows))
    return path


def read_evidence(path: Path) -> list[Evidence]:
    """Read what `write_evidence` wrote.

    Raises:
        StoreError: The file cannot be read, or holds something else.
    """
    try:
        with told_as_store_errors(f"read {path.name}", path), path.open(encoding="utf-8") as file:
            return [_evidence(json.loads(line)) for line in file]
    except (ValueError, KeyError, TypeError):
        raise StoreError(f"{path} is damaged; remove {path.parent}: a round makes the model anew") from None


def _evidence(row: dict[str, list[list[object]]]) -> Evidence:
    marked, found = (tuple(ScoredSpan(*span) for span in row[side]) for side in _SIDES)  # type: ignore[arg-type]
    return Evidence(str(row["id"]), marked, found)
