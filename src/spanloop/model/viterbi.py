"""The best tag sequence that is valid IOB2: `I-x` only after `B-x` or `I-x`.

Tags are numbered as everywhere in spanloop (`spans.tag_names`): 0 is `O`, `2k+1` is `B-` and `2k+2` is `I-` of label k.
The only forbidden transitions are those into an `I-x`, so a step costs O(tags) and not O(tags²):
into `O` and `B-…` the best previous tag of all, into `I-x` the better of `B-x` and `I-x`.

Source: Viterbi 1967; the constrained decoding of independent token scores as in Lample et al. 2016 without learnt
transition weights.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from spanloop.model.ragged import Floats, Ints


def decode(logprobs: Floats, lengths: Ints) -> Ints:
    """The valid tag sequence of each record with the highest sum of log-probabilities, records end to end.

    A record whose word-by-word argmax is valid already is decoded by it, as nothing can score higher; only the others
    go through the dynamic programme, all of them a word position at a time.

    Args:
        logprobs: `(sum(lengths), n_tags)`.
        lengths: Words of each record, zeros allowed, `(n_records,)`.

    Returns:
        Tag ids, `(sum(lengths),)`; on equal sums the lower tag id wins.
    """
    tags: Ints = logprobs.argmax(axis=1)
    firsts = np.cumsum(lengths) - lengths
    broken = _records_with_invalid_tags(tags, firsts, lengths)
    if len(broken):
        _viterbi(logprobs, firsts[broken], lengths[broken], tags)
    return tags


def steps(firsts: Ints, lengths: Ints) -> Iterator[tuple[int, Ints]]:
    """Walk ragged records one word position at a time, longest record first.

    Args:
        firsts: Row of each record's first word, in descending order of `lengths`.
        lengths: Words of each record, descending.

    Yields:
        The number of records that have a word at this position, and the rows of those words.
    """
    alive = len(lengths)
    for position in range(int(lengths[0]) if len(lengths) else 0):
        while lengths[alive - 1] <= position:
            alive -= 1
        yield alive, firsts[:alive] + position


def _records_with_invalid_tags(tags: Ints, firsts: Ints, lengths: Ints) -> Ints:
    before = np.empty_like(tags)
    before[1:] = tags[:-1]
    before[firsts[lengths > 0]] = 0
    inside = (tags > 0) & (tags % 2 == 0)
    wrong = inside & (before != tags) & (before != tags - 1)
    if not wrong.any():
        return np.empty(0, dtype=np.int64)
    ends = firsts + lengths
    counts = np.concatenate([[0], np.cumsum(wrong)])
    return np.flatnonzero(counts[ends] > counts[firsts])


def _viterbi(logprobs: Floats, firsts: Ints, lengths: Ints, tags: Ints) -> None:
    """Overwrite `tags` in the rows of these (non-empty) records by the best valid sequence."""
    order = np.argsort(-lengths, kind="stable")
    firsts, lengths = firsts[order], lengths[order]
    walk = list(steps(firsts, lengths))
    best, from_begin = _forward(logprobs, walk)
    current = np.empty(len(firsts), dtype=np.int64)
    done = 0
    for position in range(len(walk) - 1, -1, -1):
        alive, rows = walk[position]
        last = rows[done:]  # records that end here start their way back
        current[done:alive] = best[last]
        done = alive
        tags[rows] = current[:alive]
        if position:
            current[:alive] = _previous(current[:alive], rows - 1, best, from_begin)


def _previous(current: Ints, rows: Ints, best: Ints, from_begin: NDArray[np.bool_]) -> Ints:
    """The tag before `current` on the best path; `rows` are the rows of that previous word."""
    inside = (current > 0) & (current % 2 == 0)
    label = np.where(inside, current // 2 - 1, 0)
    return np.where(inside, current - from_begin[rows, label], best[rows])


def _forward(logprobs: Floats, walk: list[tuple[int, Ints]]) -> tuple[Ints, NDArray[np.bool_]]:
    """For each row: the best tag of a path that ends there, and whether `B-x` beats `I-x` as predecessor of `I-x`."""
    n_rows, n_tags = logprobs.shape
    best = np.zeros(n_rows, dtype=np.int64)
    from_begin = np.zeros((n_rows, n_tags // 2), dtype=bool)
    score = np.zeros((walk[0][0], n_tags))
    for position, (alive, rows) in enumerate(walk):
        score = score[:alive]
        fresh = logprobs[rows].astype(np.float64)
        if position:
            begin, inside = score[:, 1::2], score[:, 2::2]
            fresh[:, 2::2] += np.maximum(begin, inside)
            top = score.max(axis=1, keepdims=True)
            fresh[:, 0] += top[:, 0]
            fresh[:, 1::2] += top
        else:
            fresh[:, 2::2] = -np.inf
        score = fresh
        best[rows] = score.argmax(axis=1)
        from_begin[rows] = score[:, 1::2] >= score[:, 2::2]
    return best, from_begin
