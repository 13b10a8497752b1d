"""What out-of-fold predictions say about the annotation of records, and its file."""

from pathlib import Path

import numpy as np
import pytest
from tiny_models import LABELS, wordpiece

from spanloop.errors import StoreError
from spanloop.model.encoding import Encoder
from spanloop.model.scores import ScoreScale
from spanloop.model.tag_scheme import TagScheme
from spanloop.records import Evidence, Example, ScoredSpan, Span
from spanloop.training.evidence import evidence_of
from spanloop.training.evidence_file import read_evidence, write_evidence
from spanloop.training.out_of_fold import OutOfFold
from spanloop.training.targets import make_targets

TEXT = "Ada met Bo in Paris."
ADA, BO, PARIS = Span(0, 3, "PER"), Span(8, 10, "PER"), Span(14, 19, "LOC")


def read(marked: list[tuple[Span, ...]], seen: list[tuple[Span, ...]], texts: list[int]) -> OutOfFold:
    """Models that are rather sure of the spans `seen` in the texts, whatever is `marked` there."""
    encoder, scheme = Encoder(wordpiece(), 32, 0), TagScheme(tuple(LABELS))
    examples = [Example(str(i), TEXT, spans) for i, spans in enumerate(marked)]
    right = make_targets(encoder, [Example(str(i), TEXT, spans) for i, spans in enumerate(seen)], scheme, "first")
    rows = np.array(texts)
    tags = right.word_tags[right.words_of(rows), 0]
    logits = np.full((len(tags), 5), -3.0)
    logits[np.arange(len(tags)), tags] = 3.0
    return OutOfFold(examples, make_targets(encoder, examples, scheme, "first"), rows, logits)


def test_marked_and_found_spans_stand_beside_each_other_with_their_probabilities() -> None:
    unseen = read([(ADA, BO), (ADA,), ()], [(ADA, BO), (PARIS,), (BO,)], texts=[2, 0, 1])
    empty, agreed, differs = evidence_of(unseen, ScoreScale())
    assert [e.record_id for e in (empty, agreed, differs)] == ["2", "0", "1"]
    assert (empty.marked, [span.span for span in empty.found]) == ((), [BO])
    assert agreed.marked == agreed.found
    assert [span.span for span in agreed.marked] == [ADA, BO]
    assert all(span.score > 0.9 for span in agreed.marked)
    assert [span.span for span in differs.marked] == [ADA]
    assert [span.span for span in differs.found] == [PARIS]
    assert differs.marked[0].score < 0.05 < 0.9 < differs.found[0].score


def test_scores_are_calibrated() -> None:
    unseen = read([(ADA,)], [(ADA,)], texts=[0])
    (plain,), (doubtful,) = evidence_of(unseen, ScoreScale()), evidence_of(unseen, ScoreScale(0.5, -1.0))
    assert doubtful.marked[0].score < plain.marked[0].score


def test_a_span_that_ends_inside_of_a_word_agrees_with_that_word() -> None:
    part = Span(14, 17, "LOC")
    (found,) = evidence_of(read([(part,)], [(PARIS,)], texts=[0]), ScoreScale())
    assert [span.span for span in found.found] == [part] == [span.span for span in found.marked]


def test_the_file_holds_what_was_written(tmp_path: Path) -> None:
    one, other = ScoredSpan(0, 3, "PER", 0.25), ScoredSpan(8, 10, "ä", 0.5)
    evidence = [Evidence("a/1", (one,), ()), Evidence("b", (), (other,)), Evidence("c", (one, other), (other,))]
    path = write_evidence(tmp_path / "evidence.jsonl", evidence)
    assert read_evidence(path) == evidence
    path.write_text('{"id": "a/1", "mar')
    with pytest.raises(StoreError, match=r"evidence\.jsonl is damaged"):
        read_evidence(path)
