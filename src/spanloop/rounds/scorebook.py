"""Scores of one model, kept as they are made: a killed scoring pass goes on, and no text is scored twice by a model.

One JSON line a record, appended. A line that a crash cut off is dropped when the book is opened again.
"""

import hashlib
import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter

from spanloop.durable import replacing, told_as_store_errors
from spanloop.records import ScoredSpan, Statistics


@dataclass(frozen=True, slots=True)
class Score:
    """What a model says about one record.

    Attributes:
        spans: The spans it proposes.
        statistics: How sure it is.
    """

    spans: tuple[ScoredSpan, ...]
    statistics: Statistics


_SCORE = TypeAdapter(Score)

log = logging.getLogger(__name__)


def text_key(text: str) -> str:
    """Hash of a text: a record whose text changed is scored again."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


class ScoreBook:
    """The scores of one model under one scoring configuration, in a file."""

    def __init__(self, path: Path) -> None:
        """Open the book; a missing file is an empty one.

        Args:
            path: The file of JSON lines.
        """
        self.path = path
        self._scores = dict(_read(path))

    def __len__(self) -> int:
        return len(self._scores)

    def get(self, record_id: str, text: str) -> Score | None:
        """The score of a record; None if it was not scored, or with another text."""
        found = self._scores.get(record_id)
        return found[1] if found and found[0] == text_key(text) else None

    def add(self, scores: Iterable[tuple[str, str, Score]]) -> int:
        """Append scores as they come.

        Args:
            scores: Record id, text and score of each.

        Returns:
            How many were added.

        Raises:
            StoreError: The file cannot be written.
        """
        added = 0
        with told_as_store_errors("keep scores", self.path), self.path.open("a", encoding="utf-8") as file:
            for record_id, text, score in scores:
                key = text_key(text)
                file.write(json.dumps({"id": record_id, "text": key, **asdict(score)}) + "\n")
                self._scores[record_id] = (key, score)
                added += 1
        return added


def damaged_lines(path: Path) -> int:
    """How many lines of a book are damaged; one that is still being written counts."""
    with path.open("rb") as file:
        return sum(_entry(line) is None for line in file)


def drop_damaged_lines(path: Path) -> None:
    """Give a book its good lines alone; those records are scored again."""
    with told_as_store_errors("mend the scores", path), path.open("rb") as file, replacing(path) as mended:
        mended.writelines(line for line in file if _entry(line))


def _entry(line: bytes) -> tuple[str, tuple[str, Score]] | None:
    """Record id, hash of the text, and score; None of a line that is damaged or not whole."""
    try:
        tree = json.loads(line) if line.endswith(b"\n") else {}
        return tree["id"], (tree["text"], _SCORE.validate_python(tree))
    except (ValueError, KeyError, TypeError):
        return None


def _read(path: Path) -> Iterator[tuple[str, tuple[str, Score]]]:
    """Every whole line; what follows the last newline is cut off, so that appending starts on a fresh line."""
    if not path.exists():
        return
    whole = 0
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                break
            whole += len(line)
            if entry := _entry(line):
                yield entry
            else:
                log.warning("%s: a line is damaged; that record is scored again", path)
    if whole < path.stat().st_size:
        with path.open("r+b") as file:
            file.truncate(whole)
