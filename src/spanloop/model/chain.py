"""The probability distribution over valid IOB2 sequences that the decoder maximises, and exact figures read off it.

A model gives every word an independent distribution `p(word, tag)`. Kept to valid sequences it is a chain:
`P(y) = prod_t p(t, y_t) / Z` for valid y, else 0, where Z is the mass of all valid sequences. Two recurrences over the
word positions, forward and backward (Rabiner 1989), give exact marginals; with `max` in place of the sum they give
the best sequence through every tag, and from that the second best sequence.

The probability of a span is the marginal of exactly that span: `B-x` on its first word, `I-x` on the others, and no
`I-x` behind it. Rather than the product of its words' probabilities it counts the whole mass of the sequences that
contain the span, so it is a probability of the very event that the exact-match F1 counts, calibrated as far as the
words' distributions are; `scores` makes up for the rest.

All arrays are ragged: records end to end, `(n_rows, n_tags)`, with the records' `lengths` beside them.
"""

from dataclasses import dataclass

import numpy as np

from spanloop.model.ragged import Doubles, Floats, Ints, ranges

_FLOOR = 1e-30  # keeps a record whose valid tags all underflow from dividing by zero


@dataclass(frozen=True, slots=True)
class Chain:
    """The result of one forward and one backward walk.

    Attributes:
        forward: Scaled mass of the valid beginnings that end in this tag, `(n_rows, n_tags)`; a row sums to 1 (sum)
            or peaks at 1 (max).
        backward: Scaled mass of the valid endings that follow this tag, `(n_rows, n_tags)`.
        scale: Factor taken out of each row, `(n_rows,)`.
        leave: Scaled mass of the endings that follow with anything but an `I-`, `(n_rows,)`.
        log_mass: Logarithm of the mass of each record: log Z (sum), or of its best sequence (max), `(n_records,)`.
    """

    forward: Doubles
    backward: Doubles
    scale: Doubles
    leave: Doubles
    log_mass: Doubles

    @property
    def marginals(self) -> Doubles:
        """Probability of each tag of each word, rows sum to 1 (sum); or of the best sequence through it (max)."""
        return self.forward * self.backward


def sum_product(probabilities: Floats, lengths: Ints) -> Chain:
    """Forward-backward: sums over all valid sequences.

    Args:
        probabilities: `(sum(lengths), n_tags)`, each row a distribution.
        lengths: Words of each record, zeros allowed.
    """
    return _walk(probabilities, lengths, np.add)


def max_product(probabilities: Floats, lengths: Ints) -> Chain:
    """The same with the maximum over valid sequences in place of the sum."""
    return _walk(probabilities, lengths, np.maximum)


def _walk(probabilities: Floats, lengths: Ints, plus: np.ufunc) -> Chain:
    """Both recurrences, a word position of all records at a time.

    While walking, figures lie as `(n_tags, words)`, the words of a position side by side, so that each operation runs
    over adjacent memory.
    """
    rows, ends = _by_position(lengths)
    mass = np.maximum(np.take(probabilities, rows, axis=0).T.astype(np.float64, order="C"), _FLOOR)
    forward, scale = mass.copy(), np.ones(len(rows))
    backward, leave = np.ones_like(mass), np.ones(len(rows))
    steps = [(slice(b, c), slice(a, a + c - b)) for a, b, c in zip([0, *ends], ends, ends[1:], strict=False)]
    begin, inside = forward[1::2], forward[2::2]
    inside[:, : ends[0]] = 0.0
    for here, before in [(slice(0, ends[0]), None), *steps]:
        if before:
            fresh = inside[:, here]
            np.multiply(fresh, plus(begin[:, before], inside[:, before]), out=fresh)
        fresh, total = forward[:, here], scale[here]
        plus.reduce(fresh, axis=0, out=total)
        np.divide(fresh, total, out=fresh)
    for here, before in reversed(steps):
        ahead = mass[:, here] * backward[:, here]
        np.divide(ahead, scale[here], out=ahead)
        away = plus.reduce(ahead[1::2], axis=0)
        plus(away, ahead[0], out=away)
        leave[before] = backward[0, before] = away
        backward[1::2, before] = backward[2::2, before] = plus(away, ahead[2::2])
    place = np.empty_like(rows)
    place[rows] = np.arange(len(rows))
    scale = scale[place]
    log_mass = record_sums(np.log(scale), lengths)
    return Chain(forward[:, place].T, backward[:, place].T, scale, leave[place], log_mass)


def _by_position(lengths: Ints) -> tuple[Ints, list[int]]:
    """All rows, first words first, those of long records ahead; and where each position's rows end."""
    order = np.argsort(-lengths, kind="stable")
    firsts = (np.cumsum(lengths) - lengths)[order]
    positions = np.arange(max(1, int(lengths.max(initial=0))))
    counts = np.searchsorted(-lengths[order], -positions)  # records that have a word there
    rows = firsts[ranges(np.zeros_like(counts), counts)] + np.repeat(positions, counts)
    return rows, np.cumsum(counts).tolist()


def record_sums(values: Doubles, lengths: Ints) -> Doubles:
    """Sum of the rows' values per record, `(n_records,)`; 0 for a record without rows."""
    running = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    ends = np.cumsum(lengths)
    return np.asarray(running[ends] - running[ends - lengths])


def log_second_best(peaks: Doubles, tags: Ints, chain: Chain, lengths: Ints) -> Doubles:
    """Log-mass of each record's second best valid sequence.

    The second best differs from the best in some word, so it is the best sequence through the best other tag there.

    Args:
        peaks: `max_product(...).marginals`: mass of the best sequence through each tag, over that of the best of all.
        tags: The best sequence, `(n_rows,)`.
        chain: `max_product(...)`.
        lengths: Words of each record.

    Returns:
        `(n_records,)`; -inf where there is no second sequence.
    """
    others = peaks.copy()
    others[np.arange(len(tags)), tags] = 0.0
    ratio = np.zeros(len(lengths))
    some = np.flatnonzero(lengths)
    if len(some):
        firsts = (np.cumsum(lengths) - lengths)[some]
        ratio[some] = np.maximum.reduceat(others.max(axis=1), firsts)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.minimum(ratio, 1.0)) + chain.log_mass)


@dataclass(frozen=True, slots=True)
class TagRuns:
    """Spans as runs of words: `rows[starts]..rows[ends - 1]`, rows counted over all records.

    Attributes:
        starts: Row of the first word, `(n_spans,)`, ascending.
        ends: Row behind the last word, `(n_spans,)`.
        labels: Index of the label, `(n_spans,)`.
    """

    starts: Ints
    ends: Ints
    labels: Ints


def tag_runs(tags: Ints, lengths: Ints) -> TagRuns:
    """Read spans off valid tag sequences.

    Args:
        tags: Valid IOB2, records end to end, `(sum(lengths),)`.
        lengths: Words of each record.
    """
    starts = np.flatnonzero(tags % 2 == 1)
    breaks = np.append(np.flatnonzero((tags == 0) | (tags % 2 == 1)), len(tags))
    ends = breaks[np.searchsorted(breaks, starts, side="right")]
    return TagRuns(starts, ends, tags[starts] // 2)


def span_probabilities(probabilities: Floats, chain: Chain, runs: TagRuns) -> Doubles:
    """The marginal probability of each span under the chain, `(n_spans,)`.

    Args:
        probabilities: As given to `sum_product`.
        chain: `sum_product(...)`.
        runs: The spans.
    """
    if not len(runs.starts):
        return np.empty(0)
    begin = 2 * runs.labels + 1
    sizes = runs.ends - runs.starts - 1
    rows = ranges(runs.starts + 1, sizes)
    inside = np.repeat(begin + 1, sizes)
    logs = np.log(np.maximum(probabilities[rows, inside].astype(np.float64), _FLOOR)) - np.log(chain.scale[rows])
    body = np.exp(record_sums(logs, sizes))
    return np.clip(chain.forward[runs.starts, begin] * body * chain.leave[runs.ends - 1], 0.0, 1.0)
