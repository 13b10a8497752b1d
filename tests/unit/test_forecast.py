"""The forecast of what more labels bring: known curves, known noise."""

import numpy as np
import pytest

from benchmarks.hindcast import judge, made_up, summary
from spanloop.evaluation.counts import f1_of
from spanloop.evaluation.forecast import LEVEL, fit, shared_noise

RECORDS = np.array([100.0, 150, 220, 330, 500, 750])


def law(records, error=0.3, rest=0.4, exponent=0.5):
    """F1 along a power law that has `error` left at 300 records."""
    return 1 - error * (rest + (1 - rest) * (np.asarray(records) / 300) ** -exponent)


def test_a_curve_without_luck_is_continued():
    gain = fit(RECORDS, law(RECORDS)).gain(750, 1000)
    assert gain.expected == pytest.approx(law(1000) - law(750), abs=0.003)
    assert gain.low < gain.expected < gain.high


def test_more_labels_promise_more_and_less_surely():
    curve = fit(RECORDS, law(RECORDS))
    batch, doubled = curve.gain(750, 850), curve.gain(750, 1500)
    assert 0 < batch.expected < doubled.expected
    assert doubled.high - doubled.low > batch.high - batch.low


def test_a_flat_curve_promises_little():
    assert fit(RECORDS, np.full(6, 0.8)).gain(750, 1500).expected < 0.01


def test_the_band_holds_the_points_it_was_drawn_through():
    curve = fit(RECORDS, law(RECORDS))
    for records, f1 in zip(RECORDS, law(RECORDS), strict=True):
        low, middle, high = curve.band(records)
        assert low < f1 < high
        assert middle == pytest.approx(f1, abs=0.02)


def test_few_points_are_trusted_less():
    few, many = (fit(RECORDS[-n:], law(RECORDS[-n:])).gain(750, 1500) for n in (3, 6))
    assert few.high - few.low > many.high - many.low


def test_two_models_tell_no_curve():
    with pytest.raises(ValueError, match="2 models; a curve needs 3"):
        fit(RECORDS[:2], law(RECORDS[:2]))


def test_the_same_points_give_the_same_forecast():
    assert fit(RECORDS, law(RECORDS)).gain(750, 900) == fit(RECORDS, law(RECORDS)).gain(750, 900)


def test_scores_on_few_test_records_promise_less_surely():
    exact = fit(RECORDS, law(RECORDS)).gain(750, 1500)
    noisy = fit(RECORDS, law(RECORDS), 0.03**2 * (0.3 * np.ones((6, 6)) + 0.7 * np.eye(6))).gain(750, 1500)
    assert noisy.high - noisy.low > exact.high - exact.low


def test_models_without_an_error_promise_nothing():
    gain = fit(RECORDS, np.ones(len(RECORDS))).gain(750, 1500)
    assert gain.low < 0 < gain.high
    assert gain.expected == pytest.approx(0, abs=0.002)


def test_luck_of_the_test_records_that_all_models_share_cancels():
    """Two points too high for every model: the gain stays what it was."""
    shared = 0.02**2 * (0.98 * np.ones((6, 6)) + 0.02 * np.eye(6))
    assert fit(RECORDS, law(RECORDS) + 0.02, shared).gain(750, 1000).expected == pytest.approx(
        fit(RECORDS, law(RECORDS), shared).gain(750, 1000).expected, abs=0.002
    )


def test_the_noise_of_test_records_is_that_of_other_test_splits():
    """Models that find the same spans go up and down together; the covariance is that of fresh test splits."""
    rng = np.random.default_rng(0)

    def split():
        hard = rng.random((200, 1)) < 0.3
        found = np.where(hard, rng.binomial(2, 0.3, (200, 3)), rng.binomial(2, 0.9, (200, 3)))
        return np.stack([found, found, np.full_like(found, 2)], axis=-1)

    fresh = np.cov(np.array([f1_of(split().sum(axis=0)) for _ in range(2000)]), rowvar=False)
    estimated = np.mean([shared_noise(split(), seed=i) for i in range(20)], axis=0)
    assert estimated == pytest.approx(fresh, rel=0.15, abs=1e-6)
    assert estimated[0, 1] > 0.3 * estimated[0, 0]


def test_the_interval_holds_what_came_about_as_often_as_it_says():
    rows = summary([verdict for records, f1 in made_up(60) for verdict in judge(records, f1)])
    for row in (row for row in rows if row["models"] == "all"):
        assert row["held"] == pytest.approx(100 * LEVEL, abs=8)
        assert abs(row["error"]) < 1.0


def test_it_holds_on_test_splits_of_a_hundred_spans_too():
    """As a round sees it: every model scored on the same few records, the truth on all there are."""
    rng, held = np.random.default_rng(1), []
    for _ in range(60):
        error, rest, exponent = rng.uniform(0.2, 0.5), rng.uniform(0, 0.8), rng.uniform(0.2, 0.8)
        skill = law([*RECORDS, 1000], error, rest, exponent) + 0.26 / np.sqrt([*RECORDS, 1000]) * rng.standard_normal(7)
        ease = rng.random((100, 1))
        found = (ease < skill).astype(np.int64)  # one span a record: right in all models that are good enough for it
        flipped = rng.random(found.shape) < 0.1
        found = np.where(flipped, rng.random(found.shape) < skill, found)
        counts = np.stack([found, np.ones_like(found), np.ones_like(found)], axis=-1)[:, :6]
        gain = fit(RECORDS, f1_of(counts.sum(axis=0)), shared_noise(counts)).gain(750, 1000)
        held.append(gain.low <= skill[6] - skill[5] <= gain.high)
    assert np.mean(held) == pytest.approx(LEVEL, abs=0.15)
