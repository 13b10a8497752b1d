"""Which windows make an update step, and which of them a process takes.

An update step always holds the same number of windows, whatever the memory of the device or the lengths of the texts;
each device more brings its own. The windows of a step are drawn at random and
not by length (`docs/lab-notes.md`).
"""

import numpy as np

from spanloop.model.ragged import Ints


def epoch_steps(n_windows: int, per_step: int, seed: int, epoch: int) -> list[Ints]:
    """Deal windows to update steps for one pass over the data.

    Args:
        n_windows: Training windows.
        per_step: Windows an update step.
        seed: The training seed.
        epoch: The number of the pass; the same seed and pass give the same steps.

    Returns:
        Window indices of each step, every window once.
    """
    order = np.random.default_rng([seed, epoch]).permutation(n_windows)
    return [order[first : first + per_step] for first in range(0, n_windows, per_step)]


def share(rows: Ints, lengths: Ints, rank: int, processes: int) -> Ints:
    """The windows of a step that one process takes: similar lengths for all."""
    return rows[np.argsort(-lengths[rows], kind="stable")][rank::processes]
