"""How the windows of many texts are laid end to end for the model: by length, in batches, without padding.

A batch is a run of tokens of whole windows, the special tokens of each included. Inside it windows of equal length lie
side by side in groups, so that attention sees each group as one dense block, and everything else the whole run.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spanloop.model.encoding import Encoded
from spanloop.model.ragged import Ints, ranges


@dataclass(frozen=True, slots=True)
class Batch:
    """One forward pass: the tokens `start..stop` of the layout.

    Attributes:
        start: First token.
        stop: One past the last token.
        groups: `(windows, tokens in each)`, in the order of the tokens.
    """

    start: int
    stop: int
    groups: tuple[tuple[int, int], ...]

    @property
    def sizes(self) -> Ints:
        """Tokens of each window, `(n_windows,)`."""
        counts, lengths = np.array(self.groups, dtype=np.int64).T
        return np.repeat(lengths, counts)

    def computed(self, padding: int) -> int:
        """Tokens that the device computes; `padding` as of `lay_out`."""
        return int(len(self.sizes) * _padded(self.sizes.max(), padding)) if padding else self.stop - self.start

    def halves(self) -> "tuple[Batch, Batch]":
        """The batch as two, of as many windows each."""
        sizes = self.sizes
        half = len(sizes) // 2
        middle = self.start + int(sizes[:half].sum())
        return Batch(self.start, middle, _groups(sizes[:half])), Batch(middle, self.stop, _groups(sizes[half:]))


@dataclass(frozen=True, slots=True)
class Layout:
    """Windows of texts, laid end to end, long ones first.

    Attributes:
        ids: Vocabulary ids, special tokens included, `(n_tokens,)`.
        position: Place of a token within its window, `(n_tokens,)`.
        subword: The subword that a token decides, `(n_tokens,)`, in the one window in whose core it lies, which is the
            one where it has most context; -1 for mere context and special tokens.
        batches: The forward passes.
        surface: The class of each token's word in `surface`, `(n_tokens,)`; None: the model does not ask for it.
    """

    ids: Ints
    position: Ints
    subword: Ints
    batches: tuple[Batch, ...]
    surface: Ints | None = None


def lay_out(
    encoded: Encoded,
    prefix: Sequence[int],
    suffix: Sequence[int],
    budget: int,
    *,
    rows: Ints | None = None,
    most_windows: int | None = None,
    padding: int = 0,
) -> Layout:
    """Lay out the forward passes of encoded texts.

    Args:
        encoded: The texts.
        prefix: Ids of the special tokens before a window.
        suffix: Ids of those after it.
        budget: Most tokens that a batch makes the device compute; a longer window is a batch of its own.
        rows: The windows to lay out; None: all.
        most_windows: Most windows in a batch; None: as many as fit.
        padding: 0: windows are packed and cost their own tokens; else every window of a batch costs as many as the
            longest, rounded up to a multiple of this.
    """
    windows = encoded.windows
    order = np.arange(len(windows)) if rows is None else rows
    order = order[np.argsort(-windows.lengths[order], kind="stable")]
    subwords = windows.lengths[order]
    sizes = subwords + len(prefix) + len(suffix)
    first = np.cumsum(sizes) - sizes
    position = ranges(np.zeros_like(sizes), sizes)
    ids, decided = np.empty(len(position), dtype=np.int64), np.full(len(position), -1, dtype=np.int64)
    token, subword = ranges(first + len(prefix), subwords), ranges(windows.start[order], subwords)
    ids[token] = encoded.subword_ids[subword]
    core = windows.core_stop[order] - windows.core_start[order]
    subword_of_core = ranges(windows.core_start[order], core)
    decided[subword_of_core + np.repeat(first + len(prefix) - windows.start[order], core)] = subword_of_core
    surface = None
    if encoded.subword_surface is not None:
        surface = np.zeros_like(ids)
        surface[token] = encoded.subword_surface[subword]
    for i, special in enumerate(prefix):
        ids[first + i] = special
    for i, special in enumerate(suffix):
        ids[first + len(prefix) + subwords + i] = special
    return Layout(ids, position, decided, _cut(sizes, budget, most_windows or len(sizes), padding), surface)


def words_of(encoded: Encoded, subword: Ints) -> tuple[Ints, Ints]:
    """The words that tokens decide: a word is read off its first subword.

    Args:
        encoded: The texts.
        subword: The subwords that the tokens decide, `(n_tokens,)`, as in `Layout`.

    Returns:
        Indices of the words, in the order of their tokens, `(n_words,)`, and those tokens, `(n_words,)`, ascending.
    """
    token = np.flatnonzero(subword >= 0)
    word = np.searchsorted(encoded.word_first, subword[token])
    first = np.append(encoded.word_first, -1)[word] == subword[token]
    return word[first], token[first]


def owners_of(encoded: Encoded, layout: Layout) -> Ints:
    """The text of each token that counts for the text's embedding, else -1, `(n_tokens,)`.

    Every subword of a text counts once, in the window where it has most context; special tokens do not count.
    """
    owners = np.searchsorted(encoded.text_subwords, layout.subword, side="right") - 1
    return np.where(layout.subword >= 0, owners, -1)


def _cut(sizes: Ints, budget: int, most_windows: int, padding: int) -> tuple[Batch, ...]:
    ends = np.cumsum(sizes)
    batches, window, start = [], 0, 0
    while window < len(sizes):
        if padding:
            fit = window + budget // int(_padded(sizes[window], padding))  # the longest of the batch comes first
        else:
            fit = int(np.searchsorted(ends, start + budget, side="right"))
        after = min(max(min(fit, window + most_windows), window + 1), len(sizes))
        stop = int(ends[after - 1])
        batches.append(Batch(start, stop, _groups(sizes[window:after])))
        window, start = after, stop
    return tuple(batches)


def _padded(size: Ints, padding: int) -> Ints:
    return -(-size // padding) * padding


def _groups(sizes: Ints) -> tuple[tuple[int, int], ...]:
    lengths, counts = np.unique(sizes, return_counts=True)
    return tuple(zip(counts[::-1].tolist(), lengths[::-1].tolist(), strict=True))
