"""Intervals and paired comparisons over groups of records."""

import numpy as np
import pytest

from spanloop.evaluation.bootstrap import group_counts, interval, paired_bootstrap, resampled
from spanloop.evaluation.counts import f1_of
from spanloop.records import Example, Span

GOLD = (Span(0, 1, "x"),)


def records(n):
    return [Example(str(i), "ab", GOLD) for i in range(n)]


def right_on(n, right):
    """Predictions for n records, right on those for which `right(i)`; a wrong span elsewhere."""
    return {str(i): [Span(0, 1, "x")] if right(i) else [Span(1, 2, "x")] for i in range(n)}


def test_resampling_distinct_rows_is_resampling_records():
    """Same mean and spread of F1 as drawing record indices with replacement one by one."""
    rng = np.random.default_rng(0)
    gold, found = rng.integers(0, 4, size=(2, 60))
    counts = np.stack([np.minimum(gold, found) * rng.integers(0, 2, 60), found, gold], axis=1)
    ours = f1_of(resampled(counts, 20_000, np.random.default_rng(1)))
    drawn = np.random.default_rng(2).integers(0, 60, size=(20_000, 60))
    plain = f1_of(counts[drawn].sum(axis=1))
    assert ours.mean() == pytest.approx(plain.mean(), abs=0.002)
    assert np.quantile(ours, [0.025, 0.5, 0.975]) == pytest.approx(np.quantile(plain, [0.025, 0.5, 0.975]), abs=0.005)


def test_interval_covers_the_true_f1_about_95_times_in_100():
    rng = np.random.default_rng(3)
    hits = 0
    for trial in range(300):
        right = rng.random((120, 3)) < 0.7  # three spans a record, each found with probability 0.7, nothing spurious
        found = right.sum(axis=1)
        low, high = interval(np.stack([found, found, np.full(120, 3)], axis=1), samples=400, seed=trial)
        hits += low <= 2 * 0.7 / 1.7 <= high
    assert 0.90 <= hits / 300 <= 0.99


def documents(n, sentences, rng, find=0.7, spread=1.5):
    """Counts of documents whose sentences are alike: three spans each, found as often as the document is easy."""
    ease = 1 / (1 + np.exp(-(np.log(find / (1 - find)) + rng.normal(0, spread, (n, 1)))))
    found = rng.binomial(3, np.repeat(ease, sentences, axis=1))
    return np.stack([found, found, np.full_like(found, 3)], axis=-1)


@pytest.mark.parametrize("n", [10, 20])
def test_interval_covers_the_true_f1_where_sentences_of_a_document_are_alike(n):
    """With sentences drawn instead of documents, the interval holds the truth half of the time."""
    rng = np.random.default_rng(7)
    truth = f1_of(documents(20_000, 9, rng).sum(axis=(0, 1)))
    by_document, by_sentence = 0, 0
    for trial in range(200):
        counts = documents(n, 9, rng)
        low, high = interval(counts.sum(axis=1), samples=400, seed=trial)
        by_document += low <= truth <= high
        low, high = interval(counts.reshape(-1, 3), samples=400, seed=trial)
        by_sentence += low <= truth <= high
    assert by_document / 200 >= 0.9
    assert by_sentence / 200 < 0.75


def test_records_of_one_group_are_drawn_together():
    rows = [("a", "doc 1"), ("b", "doc 2"), ("c", "doc 1"), ("d", ""), ("e", ""), ("doc 1", "")]
    examples = [Example(record_id, "ab", GOLD, group) for record_id, group in rows]
    counts = np.array([[1, 1, 1], [0, 1, 1], [0, 0, 1], [0, 1, 0], [1, 2, 3], [7, 7, 7]])
    assert group_counts(examples, counts).tolist() == [[1, 1, 2], [0, 1, 1], [0, 1, 0], [1, 2, 3], [7, 7, 7]]


def test_a_comparison_resamples_documents():
    """b is right on one document of four more: sixteen records say it, but only one document does."""
    alone = records(64)
    grouped = [Example(e.id, e.text, e.spans, f"doc {i // 16}") for i, e in enumerate(alone)]
    a, b = right_on(64, lambda i: i < 16), right_on(64, lambda i: i < 32)
    by_record, by_document = paired_bootstrap(alone, a, b), paired_bootstrap(grouped, a, b)
    assert (by_record.n_groups, by_document.n_groups) == (64, 4)
    assert by_record.low > 0
    assert by_document.low <= 0 < by_document.high
    assert by_record.risk < 0.01 < 0.2 < by_document.risk


def test_a_single_document_says_nothing_about_others():
    one = [Example(str(i), "ab", GOLD, "doc") for i in range(30)]
    paired = paired_bootstrap(one, right_on(30, lambda i: False), right_on(30, lambda i: True))
    assert (paired.delta_f1, paired.low, paired.high, paired.risk) == (1.0, -1.0, 1.0, 1.0)
    assert interval(np.array([[3, 4, 5]])) == (0.0, 1.0)


def test_interval_narrows_with_more_records_and_ignores_their_order():
    few = np.array([[1, 1, 1], [0, 1, 1]] * 10)
    many = np.repeat(few, 25, axis=0)
    narrow, wide = interval(many), interval(few)
    assert narrow[1] - narrow[0] < 0.3 * (wide[1] - wide[0])
    assert interval(few[::-1]) == wide


def test_many_samples_of_many_records_fit_in_memory():
    counts = np.random.default_rng(0).integers(0, 30, size=(8000, 3))
    assert resampled(counts, 1500, np.random.default_rng(0)).shape == (1500, 3)


def test_equal_models_differ_by_nothing():
    same = right_on(20, lambda i: i % 2)
    paired = paired_bootstrap(records(20), same, dict(same), margin=0.02)
    assert (paired.delta_f1, paired.low, paired.high, paired.risk) == (0.0, 0.0, 0.0, 1.0)


def test_a_clearly_better_model_is_no_risk():
    paired = paired_bootstrap(records(40), right_on(40, lambda i: i < 10), right_on(40, lambda i: i < 38))
    assert paired.delta_f1 == pytest.approx(0.7)
    assert 0 < paired.low < paired.delta_f1 < paired.high
    assert paired.risk < 0.01


def test_pairing_sees_a_small_steady_gain_that_single_intervals_hide():
    """b is right wherever a is and on 12 of 200 records more: the two intervals overlap, the difference is sure."""
    a, b = right_on(200, lambda i: i < 100), right_on(200, lambda i: i < 112)
    paired = paired_bootstrap(records(200), a, b)
    assert paired.low > 0
    assert paired.risk < 0.01


def test_a_coin_flip_is_reported_as_one():
    """a and b are right on different halves: neither is better."""
    paired = paired_bootstrap(records(100), right_on(100, lambda i: i < 50), right_on(100, lambda i: i >= 50))
    assert paired.delta_f1 == 0.0
    assert 0.4 < paired.risk < 0.65
    assert paired.low < 0 < paired.high


def test_the_seed_decides_the_interval():
    counts = np.array([[1, 1, 1], [0, 1, 2], [1, 2, 2]] * 9)
    assert interval(counts, seed=5) == interval(counts, seed=5)
    assert interval(counts, seed=5) != interval(counts, seed=6)


def test_the_risk_falls_with_the_margin():
    a, b = right_on(60, lambda i: i % 3 == 0), right_on(60, lambda i: i % 3 == 1)
    risks = [paired_bootstrap(records(60), a, b, margin=margin).risk for margin in (0.0, 0.05, 0.1, 0.3)]
    assert risks == sorted(risks, reverse=True)
    assert risks[0] > 0.4
    assert risks[-1] < 0.02
