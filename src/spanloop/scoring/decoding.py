"""From the logits of a chunk's words to spans with probabilities and statistics, all records of the chunk at once.

The best tag sequence may hold spans that are less likely than not: each other way to read the words is less likely
still, but all of them together are not. Exact-span F1 is better without the least likely, at the price of some recall;
where the bound lies is judged when the model is trained.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, starmap

import numpy as np

from spanloop.model import chain
from spanloop.model.encoding import Encoded
from spanloop.model.ragged import Doubles, Floats, Ints, log_softmax
from spanloop.model.scores import ScoreScale
from spanloop.model.viterbi import decode
from spanloop.records import ScoredSpan, Statistics
from spanloop.scoring import uncertainty


@dataclass(frozen=True, slots=True)
class Decoded:
    """What the logits of a chunk say.

    Attributes:
        spans: The spans of each text.
        statistics: The statistics of each text.
    """

    spans: list[tuple[ScoredSpan, ...]]
    statistics: list[Statistics]


class DropoutPasses:
    """Adds up passes with dropout on, for BALD."""

    def __init__(self) -> None:
        """Start without any."""
        self.count = 0
        self._distributions: Doubles | None = None
        self._entropies: Doubles | None = None

    def add(self, logits: Floats) -> None:
        """Add one pass, `(n_words, n_tags)`."""
        p = np.exp(log_softmax(logits))
        entropies = uncertainty.entropy(p)
        self._distributions = p if self._distributions is None else self._distributions + p
        self._entropies = entropies if self._entropies is None else self._entropies + entropies
        self.count += 1

    def bald(self, lengths: Ints) -> Doubles | None:
        """The measure of each record; None without passes."""
        if self._distributions is None or self._entropies is None:
            return None
        return uncertainty.bald(self._distributions, self._entropies, self.count, lengths)


def decode_chunk(
    encoded: Encoded,
    logits: Floats,
    labels: Sequence[str],
    *,
    scale: ScoreScale,
    min_score: float = 0.0,
    passes: DropoutPasses | None = None,
) -> Decoded:
    """Read spans and statistics off a chunk's logits.

    Args:
        encoded: The chunk's texts.
        logits: `(n_words, n_tags)`, in the order of the words.
        labels: The labels in the order of the tags.
        scale: Makes scores of the spans' probabilities.
        min_score: Spans of a lower score are left out.
        passes: Passes with dropout, if there were any.
    """
    lengths = np.diff(encoded.text_words)
    logprobs = log_softmax(logits)
    probabilities = np.exp(logprobs)
    tags = decode(logprobs, lengths)
    total, best = chain.sum_product(probabilities, lengths), chain.max_product(probabilities, lengths)
    runs = chain.tag_runs(tags, lengths)
    likely = chain.span_probabilities(probabilities, total, runs)
    scores = scale.scores(likely)
    owners = np.searchsorted(encoded.text_words, runs.starts, side="right") - 1
    log_best = uncertainty.log_best(best.log_mass, total)
    log_second = chain.log_second_best(best.marginals, tags, best, lengths) - total.log_mass
    columns = (
        lengths,
        uncertainty.least_confidence(log_best),
        np.where(lengths > 0, uncertainty.margin(log_best, log_second), 0.0),
        uncertainty.token_entropy(total.marginals, lengths),
        uncertainty.mnlp(log_best, lengths),
        uncertainty.expected_errors(total.marginals, likely, owners, lengths),
    )
    bald = passes.bald(lengths) if passes else None
    passed = [None] * len(lengths) if bald is None else bald.tolist()
    doubts = _by_label(uncertainty.label_doubt(total.marginals, tags, lengths), labels)
    statistics = list(starmap(Statistics, zip(*(c.tolist() for c in columns), passed, doubts, strict=True)))
    return Decoded(_spans(encoded, runs, scores, labels, min_score), statistics)


def _by_label(doubts: Doubles, labels: Sequence[str]) -> list[dict[str, float]]:
    names = ["", *labels]
    return [{names[i]: row[i] for i in range(len(names)) if row[i]} for row in doubts.tolist()]


def _spans(
    encoded: Encoded, runs: chain.TagRuns, scores: Doubles, labels: Sequence[str], min_score: float
) -> list[tuple[ScoredSpan, ...]]:
    kept = np.flatnonzero(scores >= min_score)
    starts = encoded.word_start[runs.starts[kept]].tolist()
    stops = encoded.word_stop[runs.ends[kept] - 1].tolist()
    names = [labels[label] for label in runs.labels[kept].tolist()]
    spans = list(map(ScoredSpan, starts, stops, names, scores[kept].tolist()))
    bounds = np.searchsorted(runs.starts[kept], encoded.text_words).tolist()
    return [tuple(spans[low:high]) for low, high in pairwise(bounds)]
