"""What a round needs before it trains, in numbers."""

import pytest

from spanloop.config import RoundConfig
from spanloop.rounds.readiness import readiness

CONFIG = RoundConfig(min_train=20, min_validation=2, min_test=5)


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (
            {"train": 12, "validation": 2, "test": 1},
            "12 submitted for training, 20 needed; the test split has 1, 5 needed",
        ),
        ({"train": 20, "validation": 1, "test": 5}, "the validation split has 1, 2 needed"),
        (
            {},
            "0 submitted for training, 20 needed; the validation split has 0, 2 needed; the test split has 0, 5 needed",
        ),
    ],
)
def test_it_says_exactly_what_is_missing(counts, message):
    found = readiness(counts, CONFIG)
    assert not found.ready
    assert found.message == message


def test_it_is_ready_at_the_thresholds():
    found = readiness({"train": 20, "validation": 2, "test": 5}, CONFIG)
    assert found.ready
    assert found.message == "train 20, validation 2, test 5"


def test_no_validation_may_be_asked_for():
    assert readiness({"train": 1, "test": 1}, RoundConfig(min_train=1, min_validation=0, min_test=1)).ready
