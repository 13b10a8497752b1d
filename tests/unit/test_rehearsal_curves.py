"""Curves of F1 over what was spent: where an F1 is reached, the area, what one saves beside another."""

from itertools import pairwise
from statistics import fmean

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from spanloop.rehearsal.curves import height, interval, mean_height, reached, saving

CURVE = [(100.0, 0.5), (200.0, 0.7), (400.0, 0.8)]
SHARES = st.floats(0.01, 1)


@st.composite
def curves(draw):
    places = sorted(draw(st.sets(st.integers(1, 10_000), min_size=2, max_size=8)))
    return [(float(x), draw(SHARES)) for x in places]


def test_an_f1_is_reached_between_two_points():
    assert reached(CURVE, 0.7) == 200
    assert reached(CURVE, 0.6) == 150
    assert reached(CURVE, 0.75) == 300


def test_an_f1_of_the_first_point_or_less_costs_the_first_point_and_a_higher_one_is_never_reached():
    assert reached(CURVE, 0.3) == 100
    assert reached(CURVE, 0.81) is None
    assert reached([], 0.1) is None


def test_a_curve_that_falls_again_has_reached_it_the_first_time():
    assert reached([(100, 0.5), (200, 0.7), (300, 0.4), (400, 0.9)], 0.6) == 150


@given(curves(), SHARES)
def test_the_curve_has_the_f1_where_it_reaches_it_and_less_before(curve, f1):
    at = reached(curve, f1)
    if at is None:
        assert all(y < f1 for _, y in curve)
    else:
        assert height(curve, at) == pytest.approx(f1) or at == curve[0][0]
        assert all(y < f1 for x, y in curve if x < at)


@given(curves(), st.floats(0, 11_000), st.floats(0, 11_000))
def test_the_mean_height_lies_between_the_lowest_and_the_highest(curve, low, high):
    mean = mean_height(curve, min(low, high), max(low, high))
    assert min(y for _, y in curve) - 1e-9 <= mean <= max(y for _, y in curve) + 1e-9


@given(curves(), st.floats(0.01, 0.99))
def test_areas_add_up(curve, share):
    low, high = curve[0][0], curve[-1][0]
    middle = low + share * (high - low)
    parts = mean_height(curve, low, middle) * (middle - low) + mean_height(curve, middle, high) * (high - middle)
    assert parts == pytest.approx(mean_height(curve, low, high) * (high - low))


def test_the_area_of_straight_lines():
    assert mean_height(CURVE, 100, 400) == pytest.approx((100 * 0.6 + 200 * 0.75) / 300)
    assert mean_height(CURVE, 150, 200) == pytest.approx(0.65)
    assert mean_height(CURVE, 0, 100) == 0.5  # level before the first point
    assert mean_height(CURVE, 400, 400) == 0.8


def test_the_interval_is_students():
    """Of 1, 2, 3: mean 2, standard error 1/sqrt(3), and t of two degrees of freedom is 4.303."""
    found = interval([1.0, 2.0, 3.0])
    assert (found.mean, found.seeds) == (2.0, 3)
    assert (found.low, found.high) == (
        pytest.approx(2 - 4.30265 / 3**0.5, abs=1e-5),
        pytest.approx(2 + 4.30265 / 3**0.5, abs=1e-5),
    )
    assert interval([1.0]).low is None
    assert interval([]) is None


def test_what_half_the_words_save():
    found = saving([50.0, 100.0, 25.0], [100.0, 200.0, 50.0])
    assert found.mean == pytest.approx(0.5)
    assert (found.low, found.high) == (pytest.approx(0.5), pytest.approx(0.5))  # the same with every seed


def test_half_with_one_seed_and_twice_with_another_is_nothing_saved():
    found = saving([50.0, 200.0], [100.0, 100.0])
    assert found.mean == pytest.approx(0)
    assert found.low < 0 < found.high


@given(st.lists(st.tuples(st.floats(1, 1e6), st.floats(1, 1e6)), min_size=2, max_size=6))
def test_a_saving_is_below_one_and_pairing_counts(pairs):
    ours, theirs = [a for a, _ in pairs], [b for _, b in pairs]
    found, back = saving(ours, theirs), saving(theirs, ours)
    assert found.low <= found.mean <= found.high <= 1
    assert (1 - found.mean) * (1 - back.mean) == pytest.approx(1)  # what one saves the other wastes
    many = saving([7 * a for a in ours], [7 * b for b in theirs])
    assert many.mean == pytest.approx(found.mean, abs=1e-6)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=8))
def test_an_interval_holds_its_mean_and_narrows_with_what_is_added_there(values):
    found = interval(values)
    assert found.low <= found.mean <= found.high
    assume(found.high - found.low > 1e-6)
    more = interval([*values, *[fmean(values)] * 2])
    assert more.high - more.low < found.high - found.low


@given(curves())
def test_heights_between_points_lie_between_them(curve):
    for (x0, y0), (x1, y1) in pairwise(curve):
        assert min(y0, y1) - 1e-9 <= height(curve, (x0 + x1) / 2) <= max(y0, y1) + 1e-9
