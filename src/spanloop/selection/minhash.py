"""Near-duplicate texts by MinHash (Broder, 1997) with banding, in numpy over the bytes of many texts at once."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]

HASHES = 16
_BANDS = 8  # of two hashes each: texts with similarity 3/4 share a band with probability 0.999
_ALIKE = 12  # equal hashes of 16: an estimated similarity of 3/4
_WIDTH = 8  # bytes a shingle: one uint64
_CHUNK = 2_000_000  # bytes hashed at once
_NOTHING = np.uint64(2**64 - 1)


def signatures(texts: Sequence[str]) -> Hashes:
    """Hash the shingles of each text, letter case and white space apart.

    Args:
        texts: n texts.

    Returns:
        Shape (n, 16): the share of equal columns of two rows estimates the Jaccard similarity of their shingles.
    """
    factors = np.random.default_rng(0).integers(0, 2**63, size=HASHES, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    parts = [_hashed(chunk, factors) for chunk in _chunks(texts)]
    return np.concatenate(parts) if parts else np.empty((0, HASHES), dtype=np.uint64)


def near_duplicates(rows: Hashes) -> npt.NDArray[np.bool_]:
    """Find the texts that nearly repeat an earlier one.

    Args:
        rows: Shape (n, 16), from `signatures`, the texts to keep first.

    Returns:
        Shape (n,): True for a text that has an equal one before it, or is like the first of those with which it shares
        a band.
    """
    repeats = _first_equal(_mixed(rows)) < np.arange(len(rows))
    for band in np.split(rows, _BANDS, axis=1):
        earlier = _first_equal(_mixed(band))
        candidates = np.flatnonzero((earlier < np.arange(len(rows))) & ~repeats)
        alike = (rows[candidates] == rows[earlier[candidates]]).sum(axis=1)
        repeats[candidates[alike >= _ALIKE]] = True
    return repeats


def _mixed(rows: Hashes) -> Hashes:
    """One number for the hashes of each row."""
    keys = rows[:, 0].copy()
    for column in rows.T[1:]:
        keys = (keys * np.uint64(0x9E3779B97F4A7C15)) ^ column
    return keys


def _first_equal(keys: Hashes) -> npt.NDArray[np.int64]:
    """Where each number stands for the first time."""
    _, first, place = np.unique(keys, return_index=True, return_inverse=True)
    return first[place]


def _chunks(texts: Sequence[str]) -> Iterator[list[bytes]]:
    chunk: list[bytes] = []
    size = 0
    for text in texts:
        plain = " ".join(text.casefold().split()).encode("utf-8", "surrogatepass") or b" "
        chunk.append(plain)
        size += len(plain)
        if size > _CHUNK:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _hashed(texts: list[bytes], factors: Hashes) -> Hashes:
    """Smallest hash of each text's shingles, one column a factor; a shingle starts at each byte, padded at the end."""
    padding = b" " * _WIDTH
    data = np.frombuffer(padding.join(texts) + padding, dtype=np.uint8)
    lengths = np.array([len(text) for text in texts])
    starts = np.concatenate([[0], np.cumsum(lengths + _WIDTH)[:-1]])
    shingles = np.zeros(len(data) - _WIDTH + 1, dtype=np.uint64)
    for i in range(_WIDTH):
        shingles |= data[i : len(data) - _WIDTH + 1 + i].astype(np.uint64) << np.uint64(8 * i)
    shingles = (shingles ^ (shingles >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    shingles ^= shingles >> np.uint64(32)
    inside = np.repeat(np.tile([True, False], len(texts)), np.stack([lengths, np.full(len(texts), _WIDTH)], 1).ravel())
    outside = ~inside[: len(shingles)]
    columns = []
    for factor in factors:
        hashed = shingles * factor
        hashed[outside] = _NOTHING
        columns.append(np.minimum.reduceat(hashed, starts))
    return np.stack(columns, axis=1)
