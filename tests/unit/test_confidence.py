"""Folds, and what out-of-fold predictions say: calibration, least score, F1."""

from dataclasses import replace

import numpy as np
import pytest
from tiny_models import LABELS, wordpiece

from spanloop.model.encoding import Encoder
from spanloop.model.scores import ScoreScale
from spanloop.model.tag_scheme import TagScheme
from spanloop.records import Example, Span
from spanloop.training.confidence import (
    UNKNOWN,
    Confidence,
    choose_score,
    confidence_of,
    find_spans,
    fit_scale,
    of_all_records,
)
from spanloop.training.folds import FEWEST_GROUPS, deal_folds
from spanloop.training.targets import make_targets

SCHEME = TagScheme(tuple(LABELS))


def test_folds_hold_whole_groups_and_like_numbers_of_records() -> None:
    groups = [f"g{i % 23}" for i in range(100)]
    folds = deal_folds(groups, 3, seed=0)
    assert sorted(np.concatenate(folds).tolist()) == list(range(100))
    assert max(map(len, folds)) - min(map(len, folds)) <= 5
    held = [{groups[i] for i in fold} for fold in folds]
    assert sum(map(len, held)) == len(set(groups))
    other = deal_folds(groups, 3, seed=1)
    assert [fold.tolist() for fold in other] != [fold.tolist() for fold in folds]


def test_too_few_groups_make_no_folds() -> None:
    assert deal_folds(["a", "b"] * 50, 2, seed=0) == []
    assert len(deal_folds([str(i) for i in range(2 * FEWEST_GROUPS)], 2, seed=0)) == 2
    assert deal_folds([str(i) for i in range(100)], 0, seed=0) == []


def drawn(n: int, slope: float, offset: float) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities, and spans that are right as often as a line through their log-odds says."""
    rng = np.random.default_rng(0)
    p = rng.uniform(0.02, 0.98, n)
    return p, rng.uniform(size=n) < ScoreScale(slope, offset).scores(p)


@pytest.mark.parametrize(("slope", "offset"), [(1.0, 0.0), (0.4, -1.0), (1.5, 0.5)])
def test_the_line_that_makes_scores_right_is_found(slope: float, offset: float) -> None:
    found = fit_scale(*drawn(20_000, slope, offset))
    assert (found.slope, found.offset) == pytest.approx((slope, offset), abs=0.06)


def test_a_handful_of_spans_moves_scores_little() -> None:
    sure, none = np.full(4, 0.9), np.zeros(0)
    usual = fit_scale(none, none > 0).scores(sure)[0]
    wrong, right = (fit_scale(sure, np.full(4, hit)).scores(sure)[0] for hit in (False, True))
    assert 0.6 < usual < 0.8
    assert usual - 0.35 < wrong < usual < right < usual + 0.15


def test_scores_keep_the_order_of_probabilities_even_where_these_mislead() -> None:
    p, hits = drawn(2000, 1.0, 0.0)
    scores = fit_scale(p, ~hits).scores(p)
    assert (np.argsort(scores) == np.argsort(p)).all()
    assert ((scores > 0) & (scores < 1)).all()


def test_spans_that_cost_f1_lie_below_the_chosen_score() -> None:
    scores = np.repeat([0.25, 0.45, 0.85], 100)
    hits = np.arange(300) % 100 < np.repeat([5, 40, 90], 100)
    assert 0.25 < choose_score(scores, hits, n_gold=150) <= 0.45


def test_one_span_decides_no_score() -> None:
    hits = np.array([True, False, True, True])
    half = choose_score(np.array([0.9, 0.1, 0.8, 0.7]), hits, n_gold=4)
    assert half == pytest.approx(0.375, abs=0.02)  # F1 is 6 / 8
    assert choose_score(np.array([0.9, 0.6, 0.8, 0.7]), hits, n_gold=4) < 0.6


def test_a_model_of_all_records_has_higher_scores_and_the_same_suggestions_as_those_of_the_folds() -> None:
    p = np.linspace(0.01, 0.99, 99)
    told = Confidence(ScoreScale(0.7, -1.0), 0.3, 0.6)
    halves, most = of_all_records(told, 2), of_all_records(told, 10)
    assert (told.scale.scores(p) < most.scale.scores(p)).all()
    assert (most.scale.scores(p) < halves.scale.scores(p)).all()
    for model in halves, most:
        assert ((model.scale.scores(p) >= model.min_score) == (told.scale.scores(p) >= told.min_score)).all()
    everything = of_all_records(replace(told, min_score=0.0), 2)
    assert (everything.min_score, everything.f1) == (0.0, 0.6)
    assert of_all_records(UNKNOWN, 0) == UNKNOWN


def test_what_is_found_in_texts_is_set_against_their_spans() -> None:
    """A model that read only the texts 5, 2 and 0, and took a place for a person in the second."""
    examples = [Example(str(i), "Ada met Bo." + " Yes." * i, (Span(0, 3, "PER"), Span(8, 10, "PER"))) for i in range(6)]
    targets, texts = make_targets(Encoder(wordpiece(), 32, 0), examples, SCHEME, "first"), np.array([5, 2, 0])
    tags = targets.word_tags[targets.words_of(texts), 0]
    logits = np.full((len(tags), 5), -4.0)
    logits[np.arange(len(tags)), tags] = 4.0
    logits[np.diff(targets.encoded.text_words)[5]] = [0.0, 0.0, 0.0, 4.0, 0.0]  # the first word of text 2 as a LOC
    found = find_spans(targets, texts, logits, examples)
    assert found.hits.tolist() == [True, True, False, True, True, True]
    assert found.probabilities.argmin() == 2
    confidence = confidence_of([found], n_gold=6)
    assert confidence.scale != UNKNOWN.scale
    assert confidence.f1 in (10 / 12, 10 / 11)  # with the wrong span or without it
    assert confidence_of([], n_gold=6) == confidence_of([found], n_gold=0) == UNKNOWN
