"""What it flatters a model to be reported on the records that chose it.

Every model that was judged took its chance on the same test records, and the one that serves is in part the one that
they happened to suit. Groups are resampled and the models judged anew on each resample; how the model chosen there does
on the groups that were not drawn, which had no say, is free of that luck (Tsamardinos, Greasidou and Borboudakis,
"Bootstrapping the out-of-sample predictions for efficient and accurate cross-validation", Machine Learning 107, 2018).
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from spanloop.config import GateConfig
from spanloop.evaluation.bootstrap import CELLS, group_counts, telling_groups
from spanloop.evaluation.counts import FloatArray, IntArray, Predictions, f1_of, record_counts
from spanloop.evaluation.student import share_of
from spanloop.records import Example

_LEAST_SPANS = 30  # with 12 the corrected F1 was farther from the truth than the plain one: docs/lab-notes.md


def optimism(examples: Sequence[Example], models: Sequence[Predictions], serving: int, config: GateConfig) -> float:
    """By how much the F1 of the model in service is too high because the same records chose it.

    Args:
        examples: The test split.
        models: Spans by record id of every model judged, in the order of the judgements.
        serving: Which of them serves: close calls may fall otherwise where they are made anew.
        config: The gate.

    Returns:
        In F1, 0 or more; 0 with a single model or a single group, and with so few gold spans that it would be noise.

    Raises:
        DataError: See `spanloop.evaluation.counts.checked`.
    """
    counts = np.concatenate([record_counts(examples, model) for model in models], axis=1)
    return optimism_of(group_counts(examples, counts).reshape(-1, len(models), 3), serving, config)


def optimism_of(counts: IntArray, serving: int, config: GateConfig) -> float:
    """The same from counts of shape (groups, models, 3)."""
    groups, models, _ = counts.shape
    if groups < 2 or models < 2 or counts[:, 0, 2].sum() < _LEAST_SPANS:
        return 0.0
    drawn, left = _resamples(counts, config)
    whole, scores = f1_of(counts.sum(axis=0)), f1_of(drawn)
    needed = _needed(counts, scores - whole, config)
    winners = _winners(scores, needed)
    honest = f1_of(left[np.arange(len(left)), winners].sum(axis=0))
    return max(0.0, float(whole[serving] - honest))


def _resamples(counts: IntArray, config: GateConfig) -> tuple[IntArray, IntArray]:
    """Counts of each model in the groups drawn, and in those left out, each of shape (samples, models, 3)."""
    groups, rng = len(counts), np.random.default_rng(config.seed)
    flat, chunk = counts.reshape(groups, -1), max(1, CELLS // groups)
    drawn, left = [], []
    for done in range(0, config.samples, chunk):
        times = rng.multinomial(groups, np.full(groups, 1 / groups), size=min(chunk, config.samples - done))
        drawn.append(times @ flat)
        left.append((times == 0).astype(np.int64) @ flat)
    shape = (config.samples, *counts.shape[1:])
    return np.concatenate(drawn).reshape(shape), np.concatenate(left).reshape(shape)


def _needed(counts: IntArray, noise: FloatArray, config: GateConfig) -> FloatArray:
    """What the gate asks of a later model j to replace model i, as a difference of F1, shape (models, models)."""
    models = counts.shape[1]
    needed = np.full((models, models), np.inf)
    for i, j in combinations(range(models), 2):
        if (telling := telling_groups(counts[:, i], counts[:, j])) > 1:
            low = np.quantile(noise[:, j] - noise[:, i], share_of(config.max_risk, telling))
            needed[i, j] = max(0.0, -config.margin - low)
    return needed


def _winners(scores: FloatArray, needed: FloatArray) -> IntArray:
    """Who serves in the end in each row of scores (rows, models), judged one after the other."""
    rows, serving = np.arange(len(scores)), np.zeros(len(scores), dtype=np.int64)
    for model in range(1, scores.shape[1]):
        better = scores[:, model] - scores[rows, serving] > needed[serving, model]
        serving = np.where(better, model, serving)
    return serving
