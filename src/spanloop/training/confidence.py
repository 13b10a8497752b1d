"""How far a model's spans can be trusted: its temperature, the least probability of a suggestion, and its F1.

All three are judged on out-of-fold predictions, so that every label that trains the model also judges one like it. With
few labels a prior holds the first two: the logarithm of the temperature is drawn towards 0, the least probability
towards half of F1, which is where F1 is highest if probabilities are right (Lipton et al. 2014,
https://arxiv.org/abs/1402.1892).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spanloop.model.chain import TagRuns, span_probabilities, sum_product, tag_runs
from spanloop.model.ragged import Doubles, Floats, Ints, log_softmax
from spanloop.model.viterbi import decode
from spanloop.records import Example
from spanloop.training.targets import Targets

_TEMPERATURES = np.exp(np.linspace(np.log(0.5), np.log(4.0), 27))  # 8 % apart
_SPREAD = 0.5  # standard deviation of the logarithm of a temperature, before any span is seen
_SCORES = np.linspace(0.0, 0.9, 46)
_PULL = 0.3  # what a distance of 1 from half of F1 costs, in F1; a distance of 0.1 costs 0.3 points


@dataclass(frozen=True, slots=True)
class Confidence:
    """What out-of-fold predictions say about a model.

    Attributes:
        temperature: Divisor of the logits.
        min_score: Spans of a lower probability are better not suggested.
        f1: Exact-span F1 of the others, in 0..1; None: there was nothing to judge on.
    """

    temperature: float
    min_score: float
    f1: float | None


UNKNOWN = Confidence(1.0, 0.0, None)
"""Without out-of-fold predictions."""


def confidence_of(targets: Targets, logits: Floats, examples: Sequence[Example], labels: Sequence[str]) -> Confidence:
    """Judge out-of-fold predictions.

    Args:
        targets: The encoded examples.
        logits: `(n_words, n_tags)`, of models that did not see the word's example.
        examples: The examples.
        labels: The label scheme.
    """
    lengths = np.diff(targets.encoded.text_words)
    runs = tag_runs(decode(log_softmax(logits), lengths), lengths)
    hits, n_gold = _hits(targets, runs, examples, labels), sum(len(set(example.spans)) for example in examples)
    if not n_gold:
        return UNKNOWN
    temperature = fit_temperature(logits, lengths, runs, hits)
    scores = _scores(logits, lengths, runs, temperature)
    least = choose_score(scores, hits, n_gold)
    return Confidence(temperature, least, _f1(scores >= least, hits, n_gold))


def fit_temperature(logits: Floats, lengths: Ints, runs: TagRuns, hits: NDArray[np.bool_]) -> float:
    """The temperature that makes it likeliest that the right spans are right and the others wrong.

    Guo et al. (2017, https://arxiv.org/abs/1706.04599) fit it on classes; here it is the exact span that is right or
    not, because a span's probability is what annotators and the threshold see.

    Args:
        logits: `(n_words, n_tags)`.
        lengths: Words of each record.
        runs: The decoded spans; no temperature changes them.
        hits: `(n_spans,)` whether each is right.
    """

    def cost(temperature: float) -> float:
        p = np.clip(_scores(logits, lengths, runs, temperature), 1e-6, 1 - 1e-6)
        return float(-np.log(np.where(hits, p, 1 - p)).sum() + 0.5 * (np.log(temperature) / _SPREAD) ** 2)

    return float(min(_TEMPERATURES.tolist(), key=cost)) if len(hits) else 1.0


def choose_score(scores: Doubles, hits: NDArray[np.bool_], n_gold: int) -> float:
    """The least probability at which F1 is highest, drawn towards half of F1.

    Args:
        scores: `(n_spans,)` probabilities of the decoded spans.
        hits: `(n_spans,)` whether each is right.
        n_gold: Gold spans.
    """
    half = _f1(scores >= 0, hits, n_gold) / 2
    return float(max(_SCORES.tolist(), key=lambda t: _f1(scores >= t, hits, n_gold) - _PULL * (t - half) ** 2))


def _scores(logits: Floats, lengths: Ints, runs: TagRuns, temperature: float) -> Doubles:
    p = np.exp(log_softmax(logits, temperature))
    return span_probabilities(p, sum_product(p, lengths), runs)


def _f1(kept: NDArray[np.bool_], hits: NDArray[np.bool_], n_gold: int) -> float:
    return 2 * int((kept & hits).sum()) / (int(kept.sum()) + n_gold)


def _hits(targets: Targets, runs: TagRuns, examples: Sequence[Example], labels: Sequence[str]) -> NDArray[np.bool_]:
    """(n_spans,) whether a span stands in the gold of its example."""
    encoded = targets.encoded
    texts = np.searchsorted(encoded.text_words, runs.starts, side="right") - 1
    starts, stops = encoded.word_start[runs.starts], encoded.word_stop[runs.ends - 1]
    gold = {(i, s.start, s.end, s.label) for i, example in enumerate(examples) for s in example.spans}
    rows = zip(texts.tolist(), starts.tolist(), stops.tolist(), runs.labels.tolist(), strict=True)
    return np.array([(text, start, stop, labels[label]) in gold for text, start, stop, label in rows], dtype=bool)
