"""Which labels are likely to be wrong, by what models say that never saw the records."""

import pytest

from spanloop.evaluation.label_errors import Suspect, find_suspects
from spanloop.records import Evidence, ScoredSpan

GOOD = [Evidence(f"good{i}", (ScoredSpan(0, 3, "PER", 0.9),), (ScoredSpan(0, 3, "PER", 0.9),)) for i in range(20)]
MISSED = Evidence("missed", (), (ScoredSpan(4, 7, "PER", 0.8),))
SPURIOUS = Evidence("spurious", (ScoredSpan(4, 7, "PER", 0.1),), ())
WRONG_TYPE = Evidence("type", (ScoredSpan(4, 7, "PER", 0.1),), (ScoredSpan(4, 7, "LOC", 0.8),))
WRONG_BOUNDARY = Evidence("boundary", (ScoredSpan(4, 7, "PER", 0.1),), (ScoredSpan(4, 12, "PER", 0.8),))


def suspects(*evidence: Evidence) -> dict[str, Suspect]:
    return {found.record_id: found for found in find_suspects(evidence)}


def test_every_kind_of_mistake_has_its_name() -> None:
    found = suspects(*GOOD, MISSED, SPURIOUS, WRONG_TYPE, WRONG_BOUNDARY)
    (missed,), (spurious,), (type_,), (boundary,) = (
        found[name].mistakes for name in ("missed", "spurious", "type", "boundary")
    )
    assert (missed.kind, missed.marked, missed.found) == ("missed", None, MISSED.found[0])
    assert (spurious.kind, spurious.marked, spurious.found) == ("spurious", SPURIOUS.marked[0].span, None)
    assert (type_.kind, type_.marked, type_.found) == ("wrong type", WRONG_TYPE.marked[0].span, WRONG_TYPE.found[0])
    assert boundary.kind == "wrong boundary"
    assert set(found) == {"missed", "spurious", "type", "boundary"}  # where all agree, nothing is suspicious


def test_the_surer_the_model_the_more_suspicious() -> None:
    unsure = Evidence("unsure", (), (ScoredSpan(4, 7, "PER", 0.3),))
    assert list(suspects(*GOOD, unsure, MISSED)) == ["missed", "unsure"]


def test_a_difference_that_models_have_everywhere_tells_less() -> None:
    rare = suspects(*GOOD, MISSED, WRONG_TYPE)
    often = [Evidence(f"often{i}", MISSED.marked, MISSED.found) for i in range(10)]
    common = suspects(*GOOD, MISSED, WRONG_TYPE, *often)
    assert rare["missed"].suspicion > rare["type"].suspicion  # people overlook more than they confuse
    assert common["missed"].suspicion < common["type"].suspicion


def test_suspicions_of_a_record_add_up() -> None:
    both = Evidence("both", WRONG_TYPE.marked, (*WRONG_TYPE.found, ScoredSpan(20, 23, "PER", 0.8)))
    found = suspects(*GOOD, both, MISSED)
    first, second = (mistake.suspicion for mistake in found["both"].mistakes)
    assert first > second > 0
    assert found["both"].suspicion == pytest.approx(1 - (1 - first) * (1 - second))
    assert next(iter(found)) == "both"


def test_spans_are_paired_where_they_share_most() -> None:
    marked = (ScoredSpan(0, 10, "PER", 0.1), ScoredSpan(11, 20, "PER", 0.1))
    found = (ScoredSpan(0, 2, "LOC", 0.5), ScoredSpan(3, 14, "PER", 0.5), ScoredSpan(30, 33, "LOC", 0.5))
    mistakes = {(m.kind, m.marked, m.found) for m in suspects(*GOOD, Evidence("r", marked, found))["r"].mistakes}
    assert mistakes == {
        ("wrong boundary", marked[0].span, found[1]),
        ("spurious", marked[1].span, None),
        ("missed", None, found[0]),
        ("missed", None, found[2]),
    }


def test_nothing_judged_is_nothing_suspicious() -> None:
    assert find_suspects([]) == []
    assert find_suspects([Evidence("empty", (), ())]) == []
