"""Which windows make an update step, and how a step is cut to fit the device.

An update step always holds the same number of windows, whatever the memory, the number of devices or the lengths of
the texts: a model does not depend on the machine that it was trained on. A step's windows are of similar length, so
that little is padded; they are cut into micro-batches under a token budget, and their gradients are added up.
"""

from collections.abc import Iterator

import numpy as np

from spanloop.windows import Ints

_POOL = 50
"""Update steps sorted by length together, as in Trainer's `group_by_length`; less would pad more."""
_NOISE = 0.1
"""Lengths are blurred by this share before sorting, so that small data sets make new batches in every epoch."""


def epoch_steps(lengths: Ints, per_step: int, seed: int, epoch: int) -> list[Ints]:
    """Deal windows to update steps for one pass over the data.

    Args:
        lengths: (n_windows,) pieces of each window.
        per_step: Windows an update step.
        seed: The training seed.
        epoch: The number of the pass; the same seed and pass give the same steps.

    Returns:
        Window indices of each step, every window once.
    """
    rng = np.random.default_rng([seed, epoch])
    order = rng.permutation(len(lengths))
    blurred = lengths * rng.uniform(1 - _NOISE, 1 + _NOISE, size=len(lengths))
    pool = _POOL * per_step
    steps: list[Ints] = []
    for first in range(0, len(order), pool):
        rows = order[first : first + pool]
        rows = rows[np.argsort(blurred[rows], kind="stable")]
        steps += [rows[i : i + per_step] for i in range(0, len(rows), per_step)]
    return [steps[i] for i in rng.permutation(len(steps))]


def share(rows: Ints, lengths: Ints, rank: int, processes: int) -> Ints:
    """The windows of a step that one process takes: similar lengths for all."""
    return rows[np.argsort(-lengths[rows], kind="stable")][rank::processes]


def micro_batches(rows: Ints, lengths: Ints, max_tokens: int, max_windows: int = 1_000_000) -> Iterator[Ints]:
    """Cut windows into batches of at most `max_tokens`, padding included, longest first.

    Args:
        rows: Window indices.
        lengths: (n_windows,) tokens of each window, special tokens included.
        max_tokens: Most tokens a batch; one window longer than that is a batch of its own.
        max_windows: Most windows a batch.

    Yields:
        Window indices of each batch.
    """
    rows = rows[np.argsort(-lengths[rows], kind="stable")]
    first = 0
    while first < len(rows):
        fit = int(max_tokens // max(lengths[rows[first]], 1))
        count = max(1, min(fit, max_windows))
        yield rows[first : first + count]
        first += count
