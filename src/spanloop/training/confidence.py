"""How far a model's spans can be trusted: what its probabilities are worth, the least score of a suggestion, its F1.

All three are judged on out-of-fold predictions, so that every label that trains the model also judges one like it.
Where spans are few, priors hold the first two: the line that calibrates log-odds is drawn towards what models of few
records turned out to need (`docs/lab-notes.md`), the least score towards half of F1, which is where F1 is highest if
scores are right (Lipton et al. 2014, https://arxiv.org/abs/1402.1892). The model itself learns from more records than
the models that were judged, so its scores are raised.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log2

import numpy as np
from numpy.typing import NDArray

from spanloop.model.chain import span_probabilities, sum_product, tag_runs
from spanloop.model.ragged import Doubles, Floats, Ints, log_softmax
from spanloop.model.scores import ScoreScale, log_odds
from spanloop.model.viterbi import decode
from spanloop.records import Example
from spanloop.training.targets import Targets

_USUAL = np.array([0.8, -1.0])  # slope and offset that small models had on development corpora
_SPREAD = np.array([0.3, 0.5])  # standard deviations of both before any span is seen
_FLATTEST = 0.05  # a slope of 0 would make all scores the same
_SCORES = np.linspace(0.0, 0.9, 46)
_DOUBLED = 0.4  # log-odds that spans of one probability gain where a model has learnt from twice the records
_PULL = 100.0  # spans that a distance of 1 from half of F1 has to be worth


@dataclass(frozen=True, slots=True)
class Confidence:
    """What out-of-fold predictions say about a model.

    Attributes:
        scale: Calibrates the probabilities of spans.
        min_score: Spans of a lower score are better not suggested.
        f1: Exact-span F1 of the others, in 0..1; None: there was nothing to judge on.
    """

    scale: ScoreScale
    min_score: float
    f1: float | None


UNKNOWN = Confidence(ScoreScale(), 0.0, None)
"""Without out-of-fold predictions."""


@dataclass(frozen=True, slots=True)
class Found:
    """The spans that a model finds in examples that it was not trained on.

    Attributes:
        probabilities: `(n_spans,)` under the chain.
        hits: `(n_spans,)` whether each is right.
        texts: `(n_spans,)` index of the example that each lies in.
    """

    probabilities: Doubles
    hits: NDArray[np.bool_]
    texts: Ints


def find_spans(targets: Targets, texts: Ints, logits: Floats, examples: Sequence[Example]) -> Found:
    """Set what a model says about examples against their gold spans.

    Args:
        targets: All encoded examples.
        texts: `(n,)` indices of the examples that were read.
        logits: `(n_words, n_outputs)` of their words, in the order of `targets.words_of(texts)`.
        examples: All examples.
    """
    encoded, scheme, words = targets.encoded, targets.scheme, targets.words_of(texts)
    lengths, log_p = np.diff(encoded.text_words)[texts], log_softmax(scheme.end_to_end(logits))
    sequences, p = scheme.sequences(lengths), np.exp(log_p)
    in_chains = tag_runs(decode(log_p, sequences), sequences)
    runs = scheme.on_words(in_chains, len(words))
    owners = texts[np.searchsorted(np.cumsum(lengths), runs.starts, side="right")]
    starts, stops = encoded.word_start[words[runs.starts]], encoded.word_stop[words[runs.ends - 1]]
    gold = {(i, s.start, s.end, s.label) for i in texts.tolist() for s in examples[i].spans}
    rows = zip(owners.tolist(), starts.tolist(), stops.tolist(), runs.labels.tolist(), strict=True)
    hits = np.array([(text, start, stop, scheme.labels[x]) in gold for text, start, stop, x in rows], dtype=bool)
    return Found(span_probabilities(p, sum_product(p, sequences), in_chains), hits, owners)


def confidence_of(folds: Sequence[Found], n_gold: int) -> Confidence:
    """Judge what the models of all folds found.

    Args:
        folds: The spans of each; none: nothing is known.
        n_gold: Gold spans of all examples.
    """
    if not folds or not n_gold:
        return UNKNOWN
    probabilities, hits = (np.concatenate([getattr(f, name) for f in folds]) for name in ("probabilities", "hits"))
    scale = fit_scale(probabilities, hits)
    scores = scale.scores(probabilities)
    least = choose_score(scores, hits, n_gold)
    return Confidence(scale, least, _f1(scores >= least, hits, n_gold))


def of_all_records(confidence: Confidence, folds: int) -> Confidence:
    """What holds for the model of all records, whose spans are right more often than those of the folds' models.

    Args:
        confidence: From predictions of models that saw all records but those of a fold.
        folds: How many; 0: nothing is known.

    Returns:
        Higher scores, a least score that leaves the same suggestions, and F1 as it was.
    """
    if folds < 2:
        return confidence
    gain, least = _DOUBLED * log2(folds / (folds - 1)), confidence.min_score
    scale = replace(confidence.scale, offset=confidence.scale.offset + gain)
    raised = float(ScoreScale(1.0, gain).scores(np.array([least]))[0]) if least else least
    return Confidence(scale, raised, confidence.f1)


def fit_scale(probabilities: Doubles, hits: NDArray[np.bool_]) -> ScoreScale:
    """The line through the log-odds that makes it likeliest that right spans are right and wrong ones wrong.

    Logistic regression (Platt 1999) with a normal prior on both coefficients, by Newton's method.

    Args:
        probabilities: `(n_spans,)` of the decoded spans, under the chain.
        hits: `(n_spans,)` whether each is right.
    """
    x = np.stack([log_odds(probabilities), np.ones(len(hits))], axis=1)
    line = _USUAL
    for _ in range(100):
        p = 1 / (1 + np.exp(-x @ line))
        slope = x.T @ (p - hits) + (line - _USUAL) / _SPREAD**2
        step = np.linalg.solve((x.T * (p * (1 - p))) @ x + np.diag(_SPREAD**-2.0), slope)
        line = line - step * min(1.0, 1.0 / np.abs(step).max(initial=1e-9))
        if np.abs(step).max() < 1e-9:
            break
    return ScoreScale(max(_FLATTEST, float(line[0])), float(line[1]))


def choose_score(scores: Doubles, hits: NDArray[np.bool_], n_gold: int) -> float:
    """The least score at which F1 is highest, drawn towards half of F1.

    Args:
        scores: `(n_spans,)` of the decoded spans.
        hits: `(n_spans,)` whether each is right.
        n_gold: Gold spans.
    """
    half, pull = _f1(scores >= 0, hits, n_gold) / 2, _PULL / n_gold
    return float(max(_SCORES.tolist(), key=lambda t: _f1(scores >= t, hits, n_gold) - pull * (t - half) ** 2))


def _f1(kept: NDArray[np.bool_], hits: NDArray[np.bool_], n_gold: int) -> float:
    return 2 * int((kept & hits).sum()) / (int(kept.sum()) + n_gold)
