"""Few groups: Student's t instead of the normal law."""

from statistics import NormalDist

import pytest

from spanloop.evaluation.student import chance_of, share_of


@pytest.mark.parametrize(
    ("groups", "quantile"), [(3, 4.303), (4, 3.182), (5, 2.776), (6, 2.571), (10, 2.262), (11, 2.228), (121, 1.980)]
)
def test_shares_are_those_of_the_printed_tables(groups, quantile):
    """The 97.5 % quantiles of Student's t as statistics books print them."""
    share = NormalDist().cdf(-quantile * (groups / (groups - 1)) ** 0.5)
    assert chance_of(share, groups) == pytest.approx(0.025, abs=2e-5)
    assert share_of(0.025, groups) == pytest.approx(share, rel=5e-3)


@pytest.mark.parametrize("groups", [5, 20, 150, 1000])
@pytest.mark.parametrize("chance", [0.025, 0.3, 0.5, 0.95])
def test_share_and_chance_are_each_other_backwards(groups, chance):
    assert chance_of(share_of(chance, groups), groups) == pytest.approx(chance, abs=1e-9)


def test_many_groups_need_no_correction():
    assert share_of(0.025, 1000) == pytest.approx(0.025, abs=2e-4)
    assert share_of(0.025, 10) < 0.01
