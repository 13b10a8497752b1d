"""Texts as vectors, so that like and unlike can be told apart: the encoder's embeddings, or hashed words."""

import zlib
from collections.abc import Sequence
from itertools import islice

import numpy as np
import numpy.typing as npt

from spanloop.selection.pool import Annotated, Pending

Vectors = npt.NDArray[np.float32]

_DIMENSIONS = 512
_CHUNK = 4096  # texts whose words are counted at once


def vectors(records: Sequence[Pending | Annotated], *, words: bool = False) -> Vectors:
    """Unit vectors of records: their embeddings, or hashed bags of words if any record lacks one.

    Embeddings are seen from their mean: those of a language model share a large part that says nothing (Mu and
    Viswanath, ICLR 2018), beside which all texts look alike.

    Args:
        records: n records.
        words: Hash words also where there are embeddings.

    Returns:
        Shape (n, dimensions); a record without a word is the zero vector.
    """
    known = [record.embedding for record in records if record.embedding is not None]
    if known and len(known) == len(records) and not words:
        rows = np.stack(known).astype(np.float32)
        some = rows.any(axis=1)
        if some.sum() > 1:
            rows[some] -= rows[some].mean(axis=0)
    else:
        rows = _bags([record.text for record in records])
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1), dtype=np.float32)


def nearest(rows: Vectors, others: Vectors) -> Vectors:
    """Distance of each row to the nearest of the others, in 0..1: half of one minus the cosine; 1 without others.

    Args:
        rows: Unit vectors, shape (n, dimensions).
        others: Unit vectors, shape (m, dimensions).
    """
    found = np.ones(len(rows), dtype=np.float32)
    for start in range(0, len(others), _CHUNK):
        found = np.minimum(found, (1 - (rows @ others[start : start + _CHUNK].T).max(axis=1)) / 2)
    return np.maximum(found, 0)


class _Codes(dict[str, int]):
    """A hash of every word, made once a word."""

    def __missing__(self, word: str) -> int:
        self[word] = code = zlib.crc32(word.encode("utf-8", "surrogatepass"))
        return code


def _bags(texts: Sequence[str]) -> Vectors:
    """Signed hashing of words (Weinberger et al., 2009), each counted by its square root."""
    parts, codes, waiting = [np.zeros((0, _DIMENSIONS), dtype=np.float32)], _Codes(), iter(texts)
    while chunk := list(islice(waiting, _CHUNK)):
        cells = [[codes[word] for word in text.casefold().split()] for text in chunk]
        row = np.repeat(np.arange(len(chunk)), [len(words) for words in cells])
        code = np.array([word for words in cells for word in words], dtype=np.int64)
        cell, sign = row * _DIMENSIONS + code % _DIMENSIONS, np.where(code & 0x80000000, 1.0, -1.0)
        sums = np.bincount(cell, weights=sign, minlength=len(chunk) * _DIMENSIONS).reshape(len(chunk), _DIMENSIONS)
        parts.append((np.sign(sums) * np.sqrt(np.abs(sums))).astype(np.float32))
    return np.concatenate(parts)
