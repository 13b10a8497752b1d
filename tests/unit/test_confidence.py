"""Folds, and what out-of-fold predictions say: temperature, least probability, F1."""

import numpy as np
import pytest
from tiny_models import LABELS, wordpiece

from spanloop.model.chain import TagRuns, tag_runs
from spanloop.model.encoding import Encoder
from spanloop.model.ragged import log_softmax
from spanloop.model.viterbi import decode
from spanloop.records import Example, Span
from spanloop.training.confidence import UNKNOWN, choose_score, confidence_of, fit_temperature
from spanloop.training.folds import FEWEST_GROUPS, deal_folds
from spanloop.training.targets import make_targets


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


def drawn(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, TagRuns, np.ndarray]:
    """Records of one word, whose span is right as often as its probability at temperature 1 says."""
    rng = np.random.default_rng(seed)
    logits, lengths = rng.normal(size=(n, 5)) * 2, np.ones(n, dtype=np.int64)
    runs = tag_runs(decode(log_softmax(logits), lengths), lengths)
    odds = np.exp(logits[runs.starts])
    p = odds[np.arange(len(odds)), 2 * runs.labels + 1] / odds[:, [0, 1, 3]].sum(axis=1)  # no I- begins a text
    return logits, lengths, runs, rng.uniform(size=len(p)) < p


@pytest.mark.parametrize("temperature", [0.7, 1.0, 2.5])
def test_the_temperature_of_overconfident_spans_is_found(temperature: float) -> None:
    logits, lengths, runs, hits = drawn(20_000)
    assert fit_temperature(logits * temperature, lengths, runs, hits) == pytest.approx(temperature, rel=0.09)


def test_a_handful_of_spans_moves_the_temperature_little() -> None:
    logits, lengths, runs, hits = drawn(6, seed=1)
    wrong = np.zeros_like(hits)
    assert 1 <= len(hits) <= 6
    assert 1 < fit_temperature(logits, lengths, runs, wrong) < 2
    nothing = tag_runs(np.zeros(6, dtype=np.int64), lengths)
    assert fit_temperature(logits, lengths, nothing, hits[:0]) == 1.0


def test_spans_that_cost_f1_lie_below_the_chosen_score() -> None:
    scores = np.repeat([0.25, 0.45, 0.85], 100)
    hits = np.arange(300) % 100 < np.repeat([5, 40, 90], 100)
    assert 0.25 < choose_score(scores, hits, n_gold=150) <= 0.45


def test_one_span_decides_no_score() -> None:
    hits = np.array([True, False, True, True])
    half = choose_score(np.array([0.9, 0.1, 0.8, 0.7]), hits, n_gold=4)
    assert half == pytest.approx(0.375, abs=0.02)  # F1 is 6 / 8
    assert choose_score(np.array([0.9, 0.6, 0.8, 0.7]), hits, n_gold=4) < 0.6


def test_what_is_found_in_texts_is_set_against_their_spans() -> None:
    examples = [Example(str(i), "Ada met Bo.", (Span(0, 3, "PER"), Span(8, 10, "PER"))) for i in range(40)]
    targets = make_targets(Encoder(wordpiece(), 32, 0), examples, LABELS, "first")
    logits = np.full((len(targets.word_tags), 5), -4.0)
    logits[np.arange(len(logits)), targets.word_tags] = 4.0
    assert confidence_of(targets, logits, examples, LABELS).f1 == 1.0
    logits[targets.encoded.text_words[:20]] = [4.0, 0, 0, 0, 0]  # the first name of every other text is missed
    found = confidence_of(targets, logits, examples, LABELS)
    assert found.f1 == pytest.approx(2 * 60 / (60 + 80))
    assert found.temperature < 1  # what is found is right
    bare = [Example(example.id, example.text, ()) for example in examples]
    assert confidence_of(targets, logits, bare, LABELS) == UNKNOWN
