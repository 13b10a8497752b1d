"""Diversity: among informative records, those first that are unlike what is annotated and what is ahead of them.

Uncertain records resemble each other, and a batch of look-alikes teaches little more than one of them.
"""

import numpy as np
import numpy.typing as npt

from spanloop.selection.pool import FloatArray, Pool, ranks
from spanloop.selection.vectors import Vectors, nearest, vectors

HEAD = 2000


def diversity(values: FloatArray, pool: Pool, strength: float, *, head: int = HEAD, words: bool = False) -> FloatArray:
    """Weigh being unlike annotated records and those ahead against being informative; 1: distance alone counts.

    Records are chosen one by one, by maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998): the next is the
    one with the highest (1 - strength) * rank + strength * distance to the nearest record that is annotated or before
    it, with ranks in 0..1 among the best. At strength 1 this is the greedy k-centre of core-set selection (Sener and
    Savarese, ICLR 2018). Only the best `head` records are reordered, more than people annotate between two rounds; time
    grows with their square, and with the annotated records. `words` tells texts apart by their words instead of their
    embeddings.
    """
    order = np.argsort(-values, kind="stable")
    best = order[:head]
    rows = vectors([*(pool.records[i] for i in best), *pool.annotated], words=words)
    rows, others = rows[: len(best)], rows[len(best) :]
    chosen = _greedy(ranks(values[best]), rows, nearest(rows, others), strength)
    final = np.concatenate([best[chosen], order[head:]])
    result = np.empty(len(values))
    result[final] = np.arange(len(values), 0, -1) / max(len(values), 1)
    return result


def _greedy(values: FloatArray, rows: Vectors, distances: Vectors, weight: float) -> npt.NDArray[np.int64]:
    """The order of choice, by value and distance to what is annotated or chosen; the first is the one most worth."""
    free = np.ones(len(values), dtype=bool)
    order = np.empty(len(values), dtype=np.int64)
    for place in range(len(values)):
        gain = (1 - weight) * values + weight * distances
        choice = int(np.argmax(np.where(free, gain, -np.inf)))
        order[place] = choice
        free[choice] = False
        distances = np.minimum(distances, (1 - rows @ rows[choice]) / 2)
    return order
