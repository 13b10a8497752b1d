"""Arrays of many texts laid end to end ("ragged"): no Python runs per row."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]


def boundaries(sizes: Ints) -> Ints:
    """(n + 1,) where each of n consecutive runs begins, the end of the last included."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes, dtype=np.int64)])


def ranges(firsts: Ints, sizes: Ints) -> Ints:
    """`f, f+1, … f+s-1` for every `(f, s)`, end to end."""
    shift = np.repeat(firsts - (np.cumsum(sizes) - sizes), sizes)
    return np.asarray(np.arange(len(shift)) + shift)


def log_softmax(logits: Floats) -> Doubles:
    """Logarithms of the probabilities that a row of logits means, row by row."""
    scaled = logits.astype(np.float64)
    scaled -= scaled.max(axis=1, keepdims=True, initial=-np.inf)
    scaled -= np.log(np.exp(scaled).sum(axis=1, keepdims=True))
    return scaled
