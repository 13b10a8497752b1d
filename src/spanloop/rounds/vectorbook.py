"""Embeddings of texts, kept as they are made: no text is embedded twice by an encoder.

A file of rows of one width, appended. What a crash cut off and what is damaged is left out, and made again.
"""

import logging
import zlib
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
from filelock import FileLock

from spanloop.durable import replacing, told_as_store_errors
from spanloop.rounds.scorebook import text_key
from spanloop.scoring.embedding import DIMENSIONS, Halves

_ROW = np.dtype([("text", "S16"), ("check", "<u4"), ("vector", "<f2", (DIMENSIONS,))])  # 788 bytes a text
_CHUNK = 1024

log = logging.getLogger(__name__)


class VectorBook:
    """The embeddings of one encoder, in a file."""

    def __init__(self, path: Path | None) -> None:
        """Open the book; a missing file is an empty one.

        Args:
            path: The file; several processes may add to it. None: the book is kept in memory only.
        """
        self._path = path
        rows = _read(path) if path else np.zeros(0, dtype=_ROW)
        self._vectors: dict[str, Halves] = dict(
            zip(map(bytes.decode, rows["text"].tolist()), rows["vector"], strict=True)
        )

    def __len__(self) -> int:
        return len(self._vectors)

    def get(self, text: str) -> Halves | None:
        """The embedding of a text, shape (384,); None if it was not made."""
        return self._vectors.get(text_key(text))

    def add(self, vectors: Iterable[tuple[str, Halves]]) -> None:
        """Append embeddings as they come.

        Args:
            vectors: Each text with its vector, of shape (384,).

        Raises:
            StoreError: The file cannot be written.
        """
        waiting = iter(vectors)
        while part := list(islice(waiting, _CHUNK)):
            found = {text_key(text): vector for text, vector in part}
            if self._path:
                _append(self._path, found)
            self._vectors |= found


def damaged_rows(path: Path) -> int:
    """How many rows of a book are damaged or not whole."""
    data = path.read_bytes()
    whole = len(data) // _ROW.itemsize
    rows = np.frombuffer(data, dtype=_ROW, count=whole)
    return int((_checks(rows) != rows["check"]).sum()) + (len(data) > whole * _ROW.itemsize)


def drop_damaged_rows(path: Path) -> None:
    """Give a book its good rows alone; those texts are embedded again."""
    with told_as_store_errors("mend the embeddings", path), FileLock(f"{path}.lock"):
        good = _read(path)
        with replacing(path) as file:
            file.write(good.tobytes())


def _append(path: Path, vectors: Mapping[str, Halves]) -> None:
    """Append whole rows; half of one that a crash left goes first."""
    rows = np.zeros(len(vectors), dtype=_ROW)
    rows["text"] = [key.encode() for key in vectors]
    rows["vector"] = list(vectors.values())
    rows["check"] = _checks(rows)
    with told_as_store_errors("keep embeddings", path), FileLock(f"{path}.lock"), path.open("ab") as file:
        file.truncate(file.tell() // _ROW.itemsize * _ROW.itemsize)
        file.write(rows.tobytes())


def _read(path: Path) -> npt.NDArray[np.void]:
    if not path.exists():
        return np.zeros(0, dtype=_ROW)
    data = path.read_bytes()
    rows = np.frombuffer(data, dtype=_ROW, count=len(data) // _ROW.itemsize)
    good = _checks(rows) == rows["check"]
    if not good.all():
        log.warning("%s: %d rows are damaged; those texts are embedded again", path, (~good).sum())
    return np.asarray(rows[good])


def _checks(rows: npt.NDArray[np.void]) -> npt.NDArray[np.uint32]:
    pairs = zip(rows["text"].tolist(), map(bytes, rows["vector"]), strict=True)
    return np.fromiter((zlib.crc32(vector, zlib.crc32(text)) for text, vector in pairs), np.uint32, len(rows))
