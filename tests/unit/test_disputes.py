"""The records on which annotators differ, opened up."""

from spanloop.annotations.agreement import agreement, disputes, quote
from spanloop.records import Record, Response, Span

TEXT = "Ada met Bob in London"
ADA, BOB, LONDON = Span(0, 3, "PER"), Span(8, 11, "PER"), Span(15, 21, "LOC")


def record(name, **answers):
    responses = tuple(
        Response(user, "submitted", tuple(spans), "2026-11-20T10:00:00Z") for user, spans in answers.items()
    )
    return Record(name, TEXT, name, responses=responses)


def opened(records, most=20):
    """The figures, and the most disputed records."""
    report = agreement(records, most_disputed=most)
    return report, disputes(records, report)


def test_the_worst_record_comes_first_with_what_differs():
    report, found = opened(
        [
            record("same", ann=[ADA, LONDON], bea=[LONDON, ADA]),
            record("mild", ann=[ADA, LONDON], bea=[ADA]),
            record("bad", ann=[BOB], bea=[Span(8, 11, "LOC")]),
            record("alone", ann=[ADA]),
        ]
    )
    assert (report.records, report.annotators) == (3, 2)
    assert [d.record_id for d in found] == ["bad", "mild"]
    assert found[0].marked == ((Span(8, 11, "LOC"), ("bea",)), (BOB, ("ann",)))
    assert found[1].marked == ((LONDON, ("ann",)),)
    assert found[1].users == ("ann", "bea")


def test_of_three_annotators_the_minority_shows():
    _, [only] = opened([record("a", ann=[ADA, BOB], bea=[ADA, BOB], cia=[ADA])])
    assert only.marked == ((BOB, ("ann", "bea")),)


def test_as_many_as_asked_for():
    many = [record(str(i), ann=[ADA], bea=[BOB]) for i in range(5)]
    report, found = opened(many, most=2)
    assert (report.records, len(found)) == (5, 2)
    assert opened(many, most=0)[1] == []


def test_drafts_do_not_count():
    draft = Response("bea", "draft", (BOB,), "2026-11-20T10:00:00Z")
    alone = Record("a", TEXT, "a", responses=(record("a", ann=[ADA]).responses[0], draft))
    assert opened([alone])[0].records == 0


def test_a_long_span_is_quoted_from_both_ends_on_one_line():
    text = "start\nof a span " + "very " * 50 + "long end"
    shown = quote(text, Span(0, len(text), "x"))
    assert shown.startswith("start of a span")
    assert shown.endswith("very long end")
    assert len(shown) < 70
    assert quote(TEXT, ADA) == "Ada"
