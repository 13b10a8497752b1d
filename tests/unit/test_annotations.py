"""One annotation from the responses of several annotators."""

from typing import Any

import pytest

from spanloop.annotations.resolve import resolve
from spanloop.config import AnnotationConfig
from spanloop.errors import DataError
from spanloop.records import Record, Response, Span

TEXT = "Ada met Bob in Rome"
ADA, BOB, ROME = Span(0, 3, "PER"), Span(8, 11, "PER"), Span(15, 19, "LOC")


def response(user: str, spans: list[Span], at: str = "2026-01-01T00:00:00Z", status: Any = "submitted") -> Response:
    return Response(user, status, tuple(spans), at)


def record(*responses: Response, record_id: str = "r1") -> Record:
    return Record(record_id, TEXT, "g1", responses=responses)


def agreed(strategy: Any, *answers: list[Span], **settings: Any) -> tuple[Span, ...]:
    responses = [response(f"user-{i}", spans, f"2026-01-0{i + 1}T00:00:00Z") for i, spans in enumerate(answers)]
    resolution = resolve([record(*responses)], AnnotationConfig(strategy=strategy, **settings))
    return resolution.annotations[0].spans


def test_latest_takes_the_response_changed_last() -> None:
    early = response("a", [ADA], "2026-01-01T10:00:00+02:00")
    late = response("b", [BOB], "2026-01-01T08:30:00.5")  # without a zone: UTC, and so half an hour later
    found = resolve([record(late, early)], AnnotationConfig()).annotations[0]
    assert (found.spans, found.annotators) == ((BOB,), ("b",))
    assert found.agreement == 0


def test_majority_takes_what_more_than_half_marked() -> None:
    assert agreed("majority", [ADA, BOB], [ADA, ROME], [ADA, BOB]) == (ADA, BOB)
    assert agreed("majority", [ADA, BOB], [ADA]) == (ADA,)
    assert agreed("majority", [ADA]) == (ADA,)


def test_intersection_takes_what_all_marked() -> None:
    assert agreed("intersection", [ADA, BOB], [ADA, ROME], [ADA, BOB]) == (ADA,)


def test_a_duplicate_is_one_vote() -> None:
    assert agreed("majority", [ADA, ADA], [BOB], [BOB]) == (BOB,)


def test_a_record_submitted_without_spans_is_a_real_negative() -> None:
    found = resolve([record(response("a", []))], AnnotationConfig()).annotations
    assert [(a.record_id, a.group, a.spans, a.agreement) for a in found] == [("r1", "g1", (), None)]


def test_drafts_and_discarded_responses_are_not_looked_at() -> None:
    draft, discarded = response("a", [ADA], status="draft"), response("b", [BOB], status="discarded")
    assert resolve([record(draft, discarded)], AnnotationConfig()).annotations == []
    newer_draft = response("a", [ADA], "2027-01-01T00:00:00Z", "draft")
    assert resolve([record(newer_draft, response("c", [ROME]))], AnnotationConfig()).annotations[0].spans == (ROME,)


def test_annotations_are_sorted_and_every_loss_is_reported() -> None:
    long, outside = Span(0, 7, "PER"), Span(15, 99, "LOC")
    records = [
        record(response("a", [long, ADA, outside, BOB, BOB]), record_id="r2"),
        record(response("a", [Span(3, 4, "PER"), Span(14, 19, "LOC")]), record_id="r1"),
    ]
    resolution = resolve(records, AnnotationConfig())
    assert [(a.record_id, a.spans) for a in resolution.annotations] == [("r1", (ROME,)), ("r2", (long, BOB))]
    assert [(x.record_id, x.span, x.reason) for x in resolution.lost] == [
        ("r1", Span(3, 4, "PER"), "empty"),
        ("r2", ADA, "overlap"),
        ("r2", BOB, "duplicate"),
        ("r2", outside, "outside"),
    ]
    assert [(x.record_id, x.span) for x in resolution.moved] == [("r1", Span(14, 19, "LOC"))]


def test_labels_may_overlap_where_the_dataset_allows_it() -> None:
    whole, inner, doubled = Span(0, 19, "ORG"), Span(0, 3, "PER"), Span(0, 7, "PER")
    marked = record(response("a", [whole, inner, doubled, ROME]))
    usual = resolve([marked], AnnotationConfig())
    assert usual.annotations[0].spans == (whole,)
    allowed = resolve([marked], AnnotationConfig(), allow_overlapping=True)
    assert allowed.annotations[0].spans == (doubled, whole, ROME)
    assert [(x.span, x.reason) for x in allowed.lost] == [(inner, "overlap")]


def test_annotators_agree_on_overlapping_spans() -> None:
    whole = Span(0, 19, "ORG")
    marked = record(response("a", [whole, ADA, ROME]), response("b", [whole, ADA]))
    found = resolve([marked], AnnotationConfig(strategy="intersection"), allow_overlapping=True)
    assert found.annotations[0].spans == (ADA, whole)


def test_duplicates_are_reported_with_several_annotators_too() -> None:
    both = record(response("a", [ADA, ADA]), response("b", [ADA]))
    resolution = resolve([both], AnnotationConfig(strategy="intersection"))
    assert [(x.span, x.reason) for x in resolution.lost] == [(ADA, "duplicate")]


def test_white_space_can_be_kept() -> None:
    wide = Span(14, 19, "LOC")
    assert agreed("latest", [wide], whitespace="keep") == (wide,)
    assert agreed("latest", [wide]) == (ROME,)


def test_overlaps_can_stop_the_round() -> None:
    with pytest.raises(DataError, match=r"record 'r1': spans 0-7 'PER' and 0-3 'PER' overlap; correct them"):
        agreed("latest", [Span(0, 7, "PER"), ADA], overlaps="error")


def test_a_time_that_is_none() -> None:
    with pytest.raises(DataError, match=r"record 'r1': the response of b has the time 'yesterday'"):
        resolve([record(response("a", []), response("b", [], "yesterday"))], AnnotationConfig())


def test_agreement_looks_at_all_annotators_of_the_record() -> None:
    found = resolve([record(response("a", [ADA, BOB]), response("b", [ADA]))], AnnotationConfig()).annotations[0]
    assert found.agreement == pytest.approx(2 / 3)


@pytest.mark.parametrize("text", ["", " \t\n"])
def test_a_submitted_record_without_text_is_set_aside_and_named(text):
    blank = Record("blank", text, "blank", responses=(response("a", []),))
    found = resolve([blank, record(response("a", [ADA]))], AnnotationConfig())
    assert [aside.record_id for aside in found.aside] == ["blank"]
    assert len(found.annotations) == 1
