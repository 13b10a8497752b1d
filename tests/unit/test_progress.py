"""Progress in the log: a line now and then, never a flood."""

import logging

import pytest

from spanloop.rounds import progress


def test_a_long_pass_tells_and_passes_on(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    passed_on: list[int] = []
    report = progress.log_scoring(lambda done, total: passed_on.append(done))
    with caplog.at_level(logging.INFO, logger="spanloop"):
        for done in range(1, 301):
            now[0] += 0.1
            report(done, 600)
    assert passed_on == list(range(1, 301))
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) in (2, 3)
    assert lines[0].endswith("of 600 records, 10 records/s, 50 s left")


def test_what_is_left_is_told_once_enough_is_done_to_know(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    report = progress.log_scoring(None)
    with caplog.at_level(logging.INFO, logger="spanloop"):
        for chunk in range(3):  # results of a chunk come at once, when the whole of it was worked on
            now[0] += 12.0
            for done in range(1000 * chunk + 1, 1000 * chunk + 1001):
                report(done, 3000)
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0] == "score: 1 of 3000 records"
    assert lines[1].endswith("42 records/s, 48 s left")
