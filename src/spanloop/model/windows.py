"""Windows: how a text longer than the model is read in overlapping parts, none of it unseen."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from spanloop.model.ragged import Ints

_OFFSET_POSITIONS = ("roberta", "camembert", "longformer", "mpnet", "xlm-roberta", "data2vec-text", "esm")
"""Model types whose position ids begin behind the padding id, so that two positions are never used."""


@dataclass(frozen=True, slots=True)
class Windows:
    """Where each window begins and ends, in subwords counted over all texts.

    The cores of a text's windows tile its subwords: every subword belongs to exactly one core, that of the window in
    which it has most context. A model is trained and believed on the core alone.

    Attributes:
        text: (n_windows,) index of the window's text.
        start: (n_windows,) first subword.
        stop: (n_windows,) one past the last subword.
        core_start: (n_windows,) first subword of the core.
        core_stop: (n_windows,) one past the core's last subword.
    """

    text: Ints
    start: Ints
    stop: Ints
    core_start: Ints
    core_stop: Ints

    def __len__(self) -> int:
        return len(self.text)

    @property
    def lengths(self) -> Ints:
        """(n_windows,) number of subwords."""
        return self.stop - self.start


def plan_windows(text_subwords: Ints, capacity: int, stride: int) -> Windows:
    """Cut texts into windows of at most `capacity` subwords.

    A text that fits is one window. A longer one gets windows of exactly `capacity` subwords, neighbours sharing at
    least `stride`; the overlaps are evened out, so that the last window has as much context as the others.

    Args:
        text_subwords: (n_texts + 1,) text `i` holds the subwords `text_subwords[i]:text_subwords[i + 1]`.
        capacity: Most subwords in a window, special tokens not counted.
        stride: Fewest subwords that neighbouring windows share; smaller than `capacity`.

    Returns:
        The windows in the order of the texts; a text without subwords has none.
    """
    stride = min(stride, capacity // 2)
    sizes = np.diff(text_subwords)
    counts = np.where(sizes <= capacity, np.minimum(sizes, 1), -((stride - sizes) // (capacity - stride)))
    text = np.repeat(np.arange(len(sizes)), counts)
    rank = np.arange(len(text)) - np.repeat(np.cumsum(counts) - counts, counts)
    size, count = sizes[text], counts[text]
    spare = np.maximum(size - capacity, 0)
    first = rank * spare // np.maximum(count - 1, 1)
    start = text_subwords[text] + first
    stop = start + np.minimum(size, capacity)
    core_start, core_stop = start.copy(), stop.copy()
    joint = np.flatnonzero(rank[1:] > 0)
    middle = (start[joint + 1] + stop[joint]) // 2
    core_stop[joint] = middle
    core_start[joint + 1] = middle
    return Windows(text, start, stop, core_start, core_stop)


def longest_window(model: Any, tokenizer: Any, max_length: int) -> int:
    """The window length to use: what is asked for, or less where the model reads no more."""
    limits = [max_length]
    positions = getattr(model.config, "max_position_embeddings", None)
    if positions and positions > 0:
        unused = 2 if model.config.model_type in _OFFSET_POSITIONS else 0
        limits.append(positions - unused)
    if tokenizer.model_max_length and tokenizer.model_max_length < 1_000_000:
        limits.append(tokenizer.model_max_length)
    return int(min(limits))
