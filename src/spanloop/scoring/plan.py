"""How the windows of many texts are laid end to end for the model: by length, in batches, without padding.

A batch is a run of tokens of whole windows, the special tokens of each included. Inside it windows of equal length lie
side by side in groups, so that attention sees each group as one dense block, and everything else the whole run.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spanloop.encoding import Encoded
from spanloop.scoring.viterbi import Ints

Tokens = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Batch:
    """One forward pass: the tokens `start..stop` of the plan.

    Attributes:
        start: First token.
        stop: One past the last token.
        groups: `(windows, tokens in each)`, in the order of the tokens.
        words: The part of `Plan.word` and `Plan.word_token` that this batch decides.
    """

    start: int
    stop: int
    groups: tuple[tuple[int, int], ...]
    words: slice


@dataclass(frozen=True, slots=True)
class Plan:
    """The windows of a chunk of texts, laid end to end, long ones first.

    Attributes:
        ids: Vocabulary ids, special tokens included, `(n_tokens,)`.
        position: Place of a token within its window, `(n_tokens,)`.
        batches: The forward passes.
        word: Indices of the words, in the order of their tokens, `(n_words,)`.
        word_token: The token whose logits decide that word: its first piece, in the one window in whose core it
            lies, which is the one where it has most context; `(n_words,)`, ascending.
        piece_token: The token of each piece in that window, `(n_pieces,)`.
        case: Letter case of each token, `(n_tokens,)`; None: the model does not ask for it.
    """

    ids: Tokens
    position: Tokens
    batches: tuple[Batch, ...]
    word: Ints
    word_token: Ints
    piece_token: Ints
    case: Tokens | None = None


def lay_out(encoded: Encoded, prefix: Sequence[int], suffix: Sequence[int], budget: int) -> Plan:
    """Plan the forward passes of encoded texts.

    Args:
        encoded: The texts.
        prefix: Ids of the special tokens before a window.
        suffix: Ids of those after it.
        budget: Most tokens in a batch; a longer window is a batch of its own.
    """
    windows = encoded.windows
    order = np.argsort(-windows.lengths, kind="stable")
    pieces = windows.lengths[order]
    sizes = pieces + len(prefix) + len(suffix)
    first = np.cumsum(sizes) - sizes
    position = ranges(np.zeros_like(sizes), sizes)
    ids = np.empty(len(position), dtype=np.int64)
    token, piece = ranges(first + len(prefix), pieces), ranges(windows.start[order], pieces)
    ids[token] = encoded.piece_ids[piece]
    case = None
    if encoded.piece_case is not None:
        case = np.zeros_like(ids)
        case[token] = encoded.piece_case[piece]
    for i, special in enumerate(prefix):
        ids[first + i] = special
    for i, special in enumerate(suffix):
        ids[first + len(prefix) + pieces + i] = special
    piece_token = _core_tokens(encoded, order, first + len(prefix))
    token = piece_token[encoded.word_first]
    word = np.argsort(token, kind="stable")
    return Plan(ids, position, _cut(sizes, budget, token[word]), word, token[word], piece_token, case)


def owners_of(encoded: Encoded, plan: Plan) -> Tokens:
    """The text of each token that counts for the text's embedding, else -1, `(n_tokens,)`.

    Every piece of a text counts once, in the window where it has most context; special tokens do not count.

    Args:
        encoded: The texts.
        plan: Their plan.
    """
    owners = np.full(len(plan.ids), -1, dtype=np.int64)
    owners[plan.piece_token] = np.repeat(np.arange(encoded.n_texts), np.diff(encoded.text_pieces))
    return owners


def ranges(firsts: Ints, sizes: Ints) -> Tokens:
    """`f, f+1, … f+s-1` for every `(f, s)`, end to end."""
    shift = np.repeat(firsts - (np.cumsum(sizes) - sizes), sizes)
    return np.asarray(np.arange(len(shift)) + shift)


def _core_tokens(encoded: Encoded, order: Ints, first: Ints) -> Ints:
    """The token of each piece in the window in whose core it lies, `(n_pieces,)`.

    Args:
        encoded: The texts.
        order: The windows in the order in which they are laid.
        first: Token of each laid window's first piece.
    """
    windows = encoded.windows
    base = np.empty(len(order), dtype=np.int64)
    base[order] = first
    core = windows.core_stop - windows.core_start
    piece = ranges(windows.core_start, core)
    token = np.empty(len(encoded.piece_ids), dtype=np.int64)
    token[piece] = piece + np.repeat(base - windows.start, core)
    return token


def _cut(sizes: Ints, budget: int, word_token: Ints) -> tuple[Batch, ...]:
    ends = np.cumsum(sizes)
    batches, window, start = [], 0, 0
    while window < len(sizes):
        after = max(int(np.searchsorted(ends, start + budget, side="right")), window + 1)
        stop = int(ends[after - 1])
        lengths, counts = np.unique(sizes[window:after], return_counts=True)
        groups = tuple(zip(counts[::-1].tolist(), lengths[::-1].tolist(), strict=True))
        low, high = np.searchsorted(word_token, (start, stop))
        batches.append(Batch(start, stop, groups, slice(int(low), int(high))))
        window, start = after, stop
    return tuple(batches)
