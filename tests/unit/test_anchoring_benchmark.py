"""The benchmark of anchoring: suggestions on test records lift the model that made them, blind ones lift nobody."""

import pytest

from benchmarks.anchoring import Contest, annotate, made_up
from spanloop.evaluation.counts import record_counts, total
from spanloop.rehearsal.mistakes import Habits


@pytest.fixture(scope="module")
def contest() -> Contest:
    return made_up(records=500)


def read(contest: Contest, *, blind: bool) -> tuple[float, float]:
    """F1 of champion and challenger, in percent, on gold of annotators who lean to suggestions."""
    gold = annotate(contest.examples, contest.champion, Habits(anchoring=0.1), blind=blind)
    champion, challenger = (total(record_counts(gold, p)).f1 for p in (contest.champion, contest.challenger))
    return 100 * champion, 100 * challenger


def test_the_gold_leans_to_what_is_shown(contest: Contest) -> None:
    (champion, challenger), (seems, other) = contest.f1(), read(contest, blind=False)
    assert challenger > champion
    assert seems - champion > 2.5
    assert seems - champion > other - challenger + 1


def test_blind_gold_has_no_bias(contest: Contest) -> None:
    assert read(contest, blind=True) == contest.f1()
