"""Scores survive a crash, belong to a text, and are not made twice."""

import contextlib

import pytest

from spanloop.records import ScoredSpan, Statistics
from spanloop.rounds.scorebook import Score, ScoreBook

SCORE = Score(
    (ScoredSpan(0, 4, "person", 0.9),), Statistics(3, 0.1, 0.2, 0.2, 0.05, 0.3, label_doubt={"": 0.1, "person": 0.05})
)


def test_scores_come_back_after_a_crash_in_the_middle_of_a_line(tmp_path):
    path = tmp_path / "scores.jsonl"
    ScoreBook(path).add([("1", "Anna", SCORE), ("2", "Bert", SCORE)])
    path.write_bytes(path.read_bytes()[:-7])

    book = ScoreBook(path)
    assert book.get("1", "Anna") == SCORE
    assert book.get("2", "Bert") is None
    assert book.add([("2", "Bert", SCORE)]) == 1
    assert ScoreBook(path).get("2", "Bert") == SCORE


def test_a_changed_text_has_no_score(tmp_path):
    book = ScoreBook(tmp_path / "scores.jsonl")
    book.add([("1", "Anna", SCORE)])
    assert book.get("1", "Anne") is None


def test_what_was_scored_before_a_failure_is_kept(tmp_path):
    def scores():
        yield "1", "Anna", SCORE
        raise KeyboardInterrupt

    book = ScoreBook(tmp_path / "scores.jsonl")
    with contextlib.suppress(KeyboardInterrupt):
        book.add(scores())
    assert ScoreBook(book.path).get("1", "Anna") == SCORE


@pytest.mark.parametrize(
    "bad", [b"{half\n", b"\xff\x00\n", b"[]\n", b'{"id": "1"}\n', b'{"id": 1, "text": "x", "spans": 5}\n']
)
def test_a_damaged_line_costs_its_record_alone(tmp_path, bad, caplog):
    path = tmp_path / "scores.jsonl"
    ScoreBook(path).add([("1", "Anna", SCORE), ("2", "Bert", SCORE)])
    first, second = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + bad + b"\n" + second)
    book = ScoreBook(path)
    assert (book.get("1", "Anna"), book.get("2", "Bert"), len(book)) == (SCORE, SCORE, 2)
    assert "a line is damaged" in caplog.text
