"""A record's split is a pure function of its group."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloop.config import SplitConfig


@pytest.mark.parametrize(
    ("group", "split"), [("patent-9", "test"), ("patent-11", "validation"), ("patent-0", "train"), ("書類-😀", "train")]
)
def test_splits_never_change(group: str, split: str) -> None:
    """A change here would mix test records into training in every loop that runs today."""
    assert SplitConfig().split_of(group) == split


def test_shares_are_kept() -> None:
    config = SplitConfig(validation=0.2, test=0.3)
    counts = Counter(config.split_of(f"group {i}") for i in range(20_000))
    assert counts["test"] / 20_000 == pytest.approx(0.3, abs=0.01)
    assert counts["validation"] / 20_000 == pytest.approx(0.2, abs=0.01)


def test_another_seed_deals_anew() -> None:
    groups = [f"group {i}" for i in range(2000)]
    a, b = ([SplitConfig(seed=seed, test=0.4).split_of(group) == "test" for group in groups] for seed in (0, 1))
    both = sum(x and y for x, y in zip(a, b, strict=True))
    assert both / 2000 == pytest.approx(0.4 * 0.4, abs=0.03)


@given(st.text(st.characters()), st.floats(0, 0.4), st.floats(0, 0.4), st.floats(0, 0.4))
def test_a_larger_validation_share_leaves_the_test_set_alone(group: str, test: float, a: float, b: float) -> None:
    small, large = sorted((a, b))
    before = SplitConfig(test=test, validation=small).split_of(group)
    after = SplitConfig(test=test, validation=large).split_of(group)
    assert after == before or (before, after) == ("train", "validation")


def test_no_share_means_no_record() -> None:
    assert {SplitConfig(validation=0, test=0).split_of(str(i)) for i in range(100)} == {"train"}
