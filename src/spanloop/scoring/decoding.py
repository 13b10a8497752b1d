"""From the logits of a chunk's words to spans with probabilities and statistics, all records of the chunk at once.

The best tag sequence may hold spans that are less likely than not: each other way to read the words is less likely
still, but all of them together are not. Exact-span F1 is better without the least likely, at the price of some recall;
where the bound lies is judged when the model is trained.

Where each label has a chain of its own, the statistics are those of the tags of all chains together.
"""

from dataclasses import dataclass
from itertools import pairwise, starmap

import numpy as np

from spanloop.model import chain
from spanloop.model.encoding import Encoded
from spanloop.model.ragged import Doubles, Floats, Ints, boundaries, log_softmax
from spanloop.model.scores import ScoreScale
from spanloop.model.tag_scheme import TagScheme
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

    def __init__(self, scheme: TagScheme) -> None:
        """Start without any; `scheme` are the tags that the model tells apart."""
        self.count, self._scheme = 0, scheme
        self._distributions: Doubles | None = None
        self._entropies: Doubles | None = None

    def add(self, logits: Floats) -> None:
        """Add one pass, `(n_words, n_outputs)`."""
        p = np.exp(log_softmax(self._scheme.end_to_end(logits)))
        entropies = uncertainty.entropy(p)
        self._distributions = p if self._distributions is None else self._distributions + p
        self._entropies = entropies if self._entropies is None else self._entropies + entropies
        self.count += 1

    def bald(self, lengths: Ints) -> Doubles | None:
        """The measure of each record; None without passes."""
        if self._distributions is None or self._entropies is None:
            return None
        scheme, added = self._scheme, (self._distributions, self._entropies, self.count)
        return scheme.joint(uncertainty.bald(*added, scheme.sequences(lengths)))


def decode_chunk(
    encoded: Encoded,
    logits: Floats,
    scheme: TagScheme,
    *,
    scale: ScoreScale,
    min_score: float = 0.0,
    passes: DropoutPasses | None = None,
) -> Decoded:
    """Read spans and statistics off a chunk's logits.

    Args:
        encoded: The chunk's texts.
        logits: `(n_words, n_outputs)`, in the order of the words.
        scheme: The tags that they stand for.
        scale: Makes scores of the spans' probabilities.
        min_score: Spans of a lower score are left out.
        passes: Passes with dropout, if there were any.
    """
    lengths = np.diff(encoded.text_words)
    sequences, logprobs = scheme.sequences(lengths), log_softmax(scheme.end_to_end(logits))
    probabilities = np.exp(logprobs)
    tags = decode(logprobs, sequences)
    total, best = chain.sum_product(probabilities, sequences), chain.max_product(probabilities, sequences)
    runs = chain.tag_runs(tags, sequences)
    likely = chain.span_probabilities(probabilities, total, runs)
    scores = scale.scores(likely)
    owners = np.searchsorted(boundaries(sequences), runs.starts, side="right") - 1
    log_best, log_second = _two_best(tags, total, best, sequences, scheme)
    columns = (
        lengths,
        uncertainty.least_confidence(log_best),
        np.where(lengths > 0, uncertainty.margin(log_best, log_second), 0.0),
        scheme.joint(uncertainty.token_entropy(total.marginals, sequences)),
        uncertainty.mnlp(log_best, lengths),
        scheme.joint(uncertainty.expected_errors(total.marginals, likely, owners, sequences)),
    )
    bald = passes.bald(lengths) if passes else None
    passed = [None] * len(lengths) if bald is None else bald.tolist()
    doubts = _by_label(uncertainty.label_doubt(total.marginals, tags, sequences), scheme)
    statistics = list(starmap(Statistics, zip(*(c.tolist() for c in columns), passed, doubts, strict=True)))
    return Decoded(_spans(encoded, scheme.on_words(runs, len(logits)), scores, scheme, min_score), statistics)


def _two_best(
    tags: Ints, total: chain.Chain, best: chain.Chain, sequences: Ints, scheme: TagScheme
) -> tuple[Doubles, Doubles]:
    """`log P` of each record's best tags and of its second best, which differ from them in one chain."""
    log_best = uncertainty.log_best(best.log_mass, total)
    log_second = chain.log_second_best(best.marginals, tags, best, sequences) - total.log_mass
    joint = scheme.joint(log_best)
    others = joint - log_best.reshape(len(scheme.chains), -1)
    return joint, (log_second.reshape(others.shape) + others).max(axis=0)


def _by_label(doubts: Doubles, scheme: TagScheme) -> list[dict[str, float]]:
    """Doubts of each record, those outside of all spans summed over its chains; `doubts` has a row a chain."""
    names, of_chains = ["", *scheme.labels], doubts.reshape(len(scheme.chains), -1, doubts.shape[1])
    doubts = np.concatenate([of_chains[:, :, :1].sum(axis=0), *of_chains[:, :, 1:]], axis=1)
    return [{names[i]: row[i] for i in range(len(names)) if row[i]} for row in doubts.tolist()]


def _spans(
    encoded: Encoded, runs: chain.TagRuns, scores: Doubles, scheme: TagScheme, min_score: float
) -> list[tuple[ScoredSpan, ...]]:
    order = np.argsort(runs.starts, kind="stable")
    kept = order[scores[order] >= min_score]
    starts = encoded.word_start[runs.starts[kept]].tolist()
    stops = encoded.word_stop[runs.ends[kept] - 1].tolist()
    names = [scheme.labels[label] for label in runs.labels[kept].tolist()]
    spans = list(map(ScoredSpan, starts, stops, names, scores[kept].tolist()))
    bounds = np.searchsorted(runs.starts[kept], encoded.text_words).tolist()
    return [tuple(sorted(spans[low:high])) for low, high in pairwise(bounds)]
