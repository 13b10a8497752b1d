"""What a record costs, from the times at which responses came."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from spanloop.annotations.effort import effort
from spanloop.records import Record, Response

START = datetime(2026, 11, 2, 9, tzinfo=UTC)
TEXT = "five words in this text"


def answered(gaps, user="anna", status="submitted"):
    """One record for each gap, answered so many seconds after the one before."""
    at, records = START, []
    for i, gap in enumerate(gaps):
        at += timedelta(seconds=gap)
        response = Response(user, status, (), at.isoformat())
        records.append(Record(f"{user}-{i}", TEXT, f"{user}-{i}", responses=(response,)))
    return records


def test_a_steady_annotator():
    found = effort(answered([0] + [20] * 30))
    assert (found.records, found.people, found.record_seconds, found.word_seconds) == (30, 1, 20.0, 4.0)
    assert found.hours(180) == pytest.approx(1.0)
    assert found.reason == ""


def test_pauses_and_nights_are_no_work():
    gaps = [0] + [20] * 10 + [15 * 60] + [20] * 10 + [16 * 3600] + [20] * 10
    found = effort(answered(gaps))
    assert (found.records, found.record_seconds, found.mean_seconds) == (30, 20.0, 20.0)


def test_long_texts_take_longer_than_a_pause_elsewhere():
    found = effort(answered([0] + [12 * 60, 18 * 60] * 8))
    assert (found.records, found.mean_seconds) == (16, 15 * 60)


def test_a_batch_costs_what_its_slow_records_cost_too():
    random = Random(0)
    gaps = [random.lognormvariate(3, 0.7) for _ in range(600)]
    found = effort(answered([0, *gaps]))
    assert found.record_seconds == pytest.approx(20, rel=0.1)
    assert found.hours(600) == pytest.approx(sum(gaps) / 3600, rel=0.05)


def test_a_bulk_shares_the_time_before_it():
    found = effort(answered([0] + [60, 0, 0, 0.1] * 5))
    assert (found.records, found.record_seconds, found.word_seconds) == (20, 15.0, 3.0)


@pytest.mark.parametrize("gaps", [[0.05] * 200, [0.0] * 50, [1.2] * 100, [30] + [0.1] * 100 + [30] + [0.1] * 100])
def test_a_scripts_times_are_not_peoples(gaps):
    found = effort(answered(gaps))
    assert found.record_seconds is found.hours(100) is None
    assert "all at once, as from a script, or after a pause" in found.reason


def test_a_person_counts_beside_a_script():
    found = effort([*answered([0.1] * 300, "script"), *answered([0] + [30] * 12)])
    assert (found.records, found.people, found.record_seconds) == (12, 1, 30.0)


def test_people_who_work_at_the_same_time_are_timed_apart():
    found = effort([*answered([0] + [20] * 20, "anna"), *answered([7] + [20] * 20, "ben")])
    assert (found.people, found.record_seconds) == (2, 20.0)


def test_discarding_is_work_and_a_draft_is_not_done():
    assert effort([*answered([0] + [20] * 12), *answered([10] + [20] * 11, status="discarded")]).record_seconds == 10.0
    assert effort([*answered([0] + [20] * 12), *answered([10] + [20] * 11, status="draft")]).record_seconds == 20.0


def test_a_record_that_two_answer_costs_twice():
    one = answered([0] + [20] * 20)
    both = [
        Record(r.id, TEXT, r.id, responses=(*r.responses, Response("ben", "submitted", (), r.responses[0].updated_at)))
        for r in one
    ]
    assert effort(both).answers == 2.0
    assert effort(both).hours(90) == pytest.approx(1.0)


def test_too_little_is_said():
    assert effort([]).reason == "nobody has submitted anything yet"
    assert effort(answered([0, 20, 20])).reason == "2 responses have a plausible time, 10 needed"


def test_what_a_record_costs_is_what_it_costs_of_late():
    assert effort(answered([0] + [60] * 2000 + [20] * 1000)).record_seconds == 20.0
