"""Which records a model does not see while it trains, so that they can tell how far such a model can be trusted."""

import hashlib
from collections import Counter
from collections.abc import Sequence

import numpy as np

from spanloop.model.ragged import Ints

FEWEST_GROUPS = 5
"""Groups that each fold holds at least: fewer say nothing about other texts."""


def deal_folds(groups: Sequence[str], folds: int, seed: int) -> list[Ints]:
    """Deal records to folds of like size, every group whole.

    Args:
        groups: The group of each record.
        folds: How many.
        seed: The training seed.

    Returns:
        Indices of each fold's records; no folds where fewer than two are asked for, or groups are too few for them.
    """
    sizes = Counter(groups)
    if folds < 2 or len(sizes) < FEWEST_GROUPS * folds:
        return []
    shuffled = sorted(sizes, key=lambda group: hashlib.sha256(f"{seed}\0{group}".encode("utf-8", "replace")).digest())
    held, fold_of = [0] * folds, dict[str, int]()
    for group in sorted(shuffled, key=lambda group: -sizes[group]):
        fold_of[group] = held.index(min(held))
        held[fold_of[group]] += sizes[group]
    dealt = np.array([fold_of[group] for group in groups])
    return [np.flatnonzero(dealt == fold) for fold in range(folds)]
