"""What was suggested, against what annotators submitted afterwards."""

from spanloop.annotations.acceptance import acceptance
from spanloop.records import Annotation, Record, Response, ScoredSpan, Span, Suggestion

ADA, LONDON, MET = Span(0, 3, "PER"), Span(15, 21, "LOC"), Span(4, 7, "PER")
TEXT = "Ada met Bob in London"
BEFORE, AT, AFTER = "2026-11-20T09:00:00", "2026-11-20T10:00:00.500000", "2026-11-20T11:00:00"


def record(name, suggested, *responses, model="m0001", written=AT):
    """A record with a suggestion, and its annotation by the users of `responses` ((user, spans, time) each)."""
    suggestion = Suggestion(tuple(ScoredSpan(s.start, s.end, s.label, 0.9) for s in suggested), model, written)
    answers = tuple(Response(user, "submitted", spans, at) for user, spans, at in responses)
    spans = tuple(sorted(responses[-1][1])) if responses else ()
    users = tuple(sorted(user for user, _, _ in responses))
    return (
        Record(name, TEXT, name, responses=answers, suggestion=suggestion),
        Annotation(name, TEXT, name, spans, users, None) if responses else None,
    )


def measure(*pairs):
    return acceptance([r for r, _ in pairs], [a for _, a in pairs if a])


def of(result, model):
    """The acceptance of one model version; None if nothing of it was submitted."""
    return next((version for version in result.versions if version.model == model), None)


def test_kept_share_and_recall_of_one_version():
    result = measure(
        record("a", [ADA, LONDON], ("u", (ADA, LONDON), AFTER)),  # submitted as suggested
        record("b", [ADA, MET], ("u", (ADA, LONDON), AFTER)),  # one kept, one removed, one added
    )
    version = of(result, "m0001")
    assert (version.n_records, version.n_unchanged) == (2, 1)
    assert (version.n_suggested, version.n_submitted, version.n_kept) == (4, 4, 3)
    assert (version.precision, version.recall, version.f1) == (0.75, 0.75, 0.75)


def test_versions_are_told_apart():
    result = measure(
        record("a", [ADA], ("u", (ADA,), AFTER), model="m0002"),
        record("b", [ADA], ("u", (LONDON,), AFTER), model="m0001"),
    )
    assert [v.model for v in result.versions] == ["m0001", "m0002"]
    assert [v.precision for v in result.versions] == [0.0, 1.0]
    assert of(result, "m0003") is None


def test_a_suggestion_that_came_after_the_response_does_not_count():
    result = measure(record("a", [ADA], ("u", (ADA,), BEFORE)), record("b", [ADA], ("u", (ADA,), AFTER)))
    assert (result.n_records, result.n_later) == (1, 1)


def test_time_stamps_with_and_without_a_zone_are_both_utc():
    """11:30 in Berlin (+01:00 in November) is 10:30 UTC, half an hour after the suggestion."""
    assert measure(record("a", [ADA], ("u", (ADA,), "2026-11-20T11:30:00+01:00"))).n_records == 1
    assert measure(record("a", [ADA], ("u", (ADA,), "2026-11-20T10:30:00+01:00"))).n_records == 0


def test_with_two_annotators_both_must_have_seen_it():
    assert measure(record("a", [ADA], ("u", (ADA,), BEFORE), ("v", (ADA,), AFTER))).n_records == 0
    assert measure(record("a", [ADA], ("u", (ADA,), AFTER), ("v", (ADA,), AFTER))).n_records == 1


def test_a_response_that_is_not_in_the_annotation_does_not_matter():
    """Under the policy 'latest' only the newest response makes the annotation."""
    pair, _ = record("a", [ADA], ("old", (ADA,), BEFORE), ("new", (LONDON,), AFTER))
    result = acceptance([pair], [Annotation("a", TEXT, "a", (LONDON,), ("new",), None)])
    assert (result.n_records, of(result, "m0001").precision) == (1, 0.0)


def test_records_without_suggestion_or_submission_are_left_out():
    bare = Record("a", TEXT, "a", responses=(Response("u", "submitted", (ADA,), AFTER),))
    result = acceptance([bare, record("b", [ADA])[0]], [Annotation("a", TEXT, "a", (ADA,), ("u",), None)])
    assert (result.versions, result.n_records, result.n_later) == ((), 0, 0)


def test_an_empty_suggestion_that_is_confirmed_is_unchanged():
    version = of(measure(record("a", [], ("u", (), AFTER))), "m0001")
    assert (version.n_records, version.n_unchanged, version.n_suggested) == (1, 1, 0)
    assert (version.precision, version.recall, version.f1) == (0.0, 0.0, 0.0)


def test_a_wrong_label_or_boundary_is_not_kept():
    wrong = [Span(0, 3, "LOC"), Span(15, 20, "LOC")]
    assert of(measure(record("a", wrong, ("u", (ADA, LONDON), AFTER))), "m0001").n_kept == 0
