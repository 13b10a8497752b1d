"""Typical records first, a region of the texts at a time: what to annotate before there is a model.

TypiClust (Hacohen, Dekel and Weinshall, ICML 2022) cuts the pool into clusters and takes the most typical record of
each, the largest of the least annotated clusters first. Typical is what has near neighbours.
"""

import numpy as np
import numpy.typing as npt

from spanloop.selection.pool import FloatArray
from spanloop.selection.vectors import Vectors

Labels = npt.NDArray[np.int64]

_NEIGHBOURS = 20  # that decide how typical a record is, as in the paper
_MOST_CLUSTERS = 500  # as in the paper
_LEAST_SIZE = 5  # records of a cluster, as in the paper: what is in smaller ones is not typical of anything
_BATCH = 100  # clusters beyond the annotated records: what people annotate before the first model
_SAMPLE = 10_000  # records that decide where the clusters are
_SWEEPS = 8
_WITNESSES = 512  # records of a cluster among which neighbours are looked for
_CHUNK = 8192


def typical_first(rows: Vectors, annotated: Vectors, rng: np.random.Generator) -> FloatArray:
    """Order records by clusters in turn, in each the most typical first; those of tiny clusters come last.

    Args:
        rows: Unit vectors of the records, shape (n, dimensions), in an order that says nothing.
        annotated: Unit vectors of what is annotated: its clusters wait for their turn.
        rng: Source of the first centres.

    Returns:
        Values in (0, 1], shape (n,), evenly spaced, 1.0 first.
    """
    n = len(rows)
    if not n:
        return np.zeros(0)
    count = min(len(annotated) + _BATCH, _MOST_CLUSTERS, -(-n // _LEAST_SIZE))
    centres = k_means(rows[:_SAMPLE], count, rng)
    cluster = _closest(rows, centres)
    sizes = np.bincount(cluster, minlength=count)
    turn = np.bincount(_closest(annotated, centres), minlength=count)[cluster]
    for members in np.split(np.argsort(cluster, kind="stable"), np.cumsum(sizes)[:-1]):
        order = members[np.argsort(-_typicality(rows[members]), kind="stable")]
        turn[order] += np.arange(len(order))
    order = np.lexsort((-sizes[cluster], turn, sizes[cluster] < _LEAST_SIZE))
    values = np.empty(n)
    values[order] = np.arange(n, 0, -1) / n
    return values


def k_means(rows: Vectors, count: int, rng: np.random.Generator) -> Vectors:
    """Centres of clusters of unit vectors: k-means on the sphere, first centres far apart (k-means++, 2007).

    Args:
        rows: Shape (n, dimensions), n at least 1.
        count: Number of centres.
        rng: Source of the first centres.

    Returns:
        Unit vectors, shape (count, dimensions); several may be the same where there are few different rows.
    """
    centres = np.empty((count, rows.shape[1]), dtype=np.float32)
    distances = np.full(len(rows), 1.0)
    for place in range(count):
        total = distances.sum()
        drawn = np.searchsorted(np.cumsum(distances), rng.random() * total, side="right") if total > 0 else 0
        centres[place] = rows[min(int(drawn), len(rows) - 1)]
        distances = np.minimum(distances, np.maximum(1.0 - rows @ centres[place], 0.0))
    for _ in range(_SWEEPS):
        cluster = _closest(rows, centres)
        order = np.argsort(cluster, kind="stable")
        present, first = np.unique(cluster[order], return_index=True)
        sums = np.add.reduceat(rows[order], first, axis=0)
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        centres[present] = np.where(lengths > 0, sums / np.where(lengths > 0, lengths, 1), centres[present])
    return centres


def _closest(rows: Vectors, centres: Vectors) -> Labels:
    parts = [(rows[i : i + _CHUNK] @ centres.T).argmax(axis=1) for i in range(0, len(rows), _CHUNK)]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)


def _typicality(rows: Vectors) -> Vectors:
    """Mean cosine of each row of a cluster with its nearest neighbours, among the first few hundred rows."""
    witnesses = rows[:_WITNESSES]
    neighbours = min(max(_NEIGHBOURS * len(witnesses) // max(len(rows), 1), 1), len(witnesses) - 1)
    if neighbours < 1:
        return np.zeros(len(rows), dtype=np.float32)
    parts = []
    for start in range(0, len(rows), _CHUNK):
        near = rows[start : start + _CHUNK] @ witnesses.T
        if start == 0:
            np.fill_diagonal(near, -1.0)  # no row is its own neighbour
        parts.append(np.partition(near, len(witnesses) - neighbours, axis=1)[:, -neighbours:].mean(axis=1))
    return np.concatenate(parts)
