"""Diversity: among informative records, those first that are unlike what is already ahead of them.

Uncertain records resemble each other, and a batch of look-alikes teaches little more than one of them.
"""

import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from spanloop.selection.pool import FloatArray, Pending, ranks

Vectors = npt.NDArray[np.float32]

HEAD = 2000
_DIMENSIONS = 512


def diversity(values: FloatArray, records: Sequence[Pending], strength: float, *, head: int = HEAD) -> FloatArray:
    """Weigh being unlike the records ahead in the queue against being informative; 1: distance alone counts.

    Records are chosen one by one, by maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998): the next is the
    one with the highest (1 - strength) * rank + strength * distance to the nearest record before it, with ranks in 0..1
    among the best. At strength 1 this is the greedy k-centre of core-set selection (Sener and Savarese, ICLR 2018). It
    uses the records' embeddings, or hashed words where a record has none. Only the best `head` records are reordered,
    more than people annotate between two rounds; time grows with their square.
    """
    order = np.argsort(-values, kind="stable")
    best = order[:head]
    chosen = _greedy(ranks(values[best]), vectors([records[i] for i in best]), strength)
    final = np.concatenate([best[chosen], order[head:]])
    result = np.empty(len(values))
    result[final] = np.arange(len(values), 0, -1) / max(len(values), 1)
    return result


def vectors(records: Sequence[Pending]) -> Vectors:
    """Unit vectors of the records: their embeddings, or hashed bags of words if any record lacks one.

    Args:
        records: n records.

    Returns:
        Shape (n, dimensions); a record without a word is the zero vector.
    """
    given = [record.embedding for record in records]
    known = [vector for vector in given if vector is not None]
    rows = np.stack(known) if known and len(known) == len(given) else _bags([record.text for record in records])
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1), dtype=np.float32)


def _bags(texts: Sequence[str]) -> Vectors:
    """Signed hashing of words (Weinberger et al., 2009), each counted by its square root."""
    rows = np.zeros((len(texts), _DIMENSIONS), dtype=np.float32)
    for i, text in enumerate(texts):
        for word in text.casefold().split():
            code = zlib.crc32(word.encode("utf-8", "surrogatepass"))
            rows[i, code % _DIMENSIONS] += 1 if code & 0x80000000 else -1
    return np.asarray(np.sign(rows) * np.sqrt(np.abs(rows)), dtype=np.float32)


def _greedy(values: FloatArray, rows: Vectors, weight: float) -> npt.NDArray[np.int64]:
    """The order of choice; the first is the one with the highest value."""
    nearest = np.ones(len(values))  # distance in 0..1: half of one minus the cosine
    free = np.ones(len(values), dtype=bool)
    order = np.empty(len(values), dtype=np.int64)
    for place in range(len(values)):
        gain = (1 - weight) * values + weight * nearest if place else values
        choice = int(np.argmax(np.where(free, gain, -np.inf)))
        order[place] = choice
        free[choice] = False
        nearest = np.minimum(nearest, (1 - rows @ rows[choice]) / 2)
    return order
