"""Spans to tags and back, over random Unicode."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.scheme import IOB2, Entities
from texts import texts, texts_with_disjoint_spans, texts_with_spans

from spanloop.errors import DataError
from spanloop.records import ScoredSpan, Span
from spanloop.spans import (
    find_clash,
    have_overlaps,
    likeliest,
    refine_words,
    resolve_overlaps,
    spans_to_iob2,
    tag_names,
    tidy_spans,
)
from spanloop.words import Word, split_words, words_to_tokens

Case = tuple[str, list[Span]]


def spans_of_iob2(words: Sequence[Word], tags: list[str]) -> list[Span]:
    """The spans that seqeval reads from tags, strictly."""
    return [Span(words[e.start][0], words[e.end - 1][1], e.tag) for e in Entities([tags], IOB2).entities[0]]


def overlap(a: Span, b: Span) -> bool:
    return a.start < b.end and b.start < a.end


@given(texts_with_disjoint_spans())
def test_disjoint_spans_survive_tags_exactly_when_words_are_refined(case: Case) -> None:
    text, spans = case
    words = refine_words(split_words(text), spans)
    tags, lost = spans_to_iob2(words, spans)
    assert spans_of_iob2(words, tags) == spans
    assert lost == []


@given(texts_with_disjoint_spans())
def test_refining_cuts_only_at_spans_and_adds_only_what_they_cover(case: Case) -> None:
    text, spans = case
    words = split_words(text)
    refined = refine_words(words, spans)
    assert all(a[1] <= b[0] for a, b in pairwise(refined))
    edges = {edge for span in spans for edge in (span.start, span.end)}
    assert {edge for word in words for edge in word} <= {edge for word in refined for edge in word}
    assert {edge for word in refined for edge in word} <= {edge for word in words for edge in word} | edges
    assert words_to_tokens(text, words) == words_to_tokens(text, refined) or edges


@given(texts_with_disjoint_spans())
def test_with_plain_words_every_span_is_exact_or_reported(case: Case) -> None:
    text, spans = case
    words = split_words(text)
    tags, lost = spans_to_iob2(words, spans, "r1")
    back = spans_of_iob2(words, tags)
    gone = {entry.span for entry in lost if entry.reason != "boundary"}
    moved = {entry.span for entry in lost if entry.reason == "boundary"}
    assert {entry.record_id for entry in lost} <= {"r1"}
    assert set(spans) - gone - moved <= set(back)
    assert len(back) == len(spans) - len(gone)
    assert [span.label for span in back] == [span.label for span in spans if span not in gone]


@given(texts_with_spans())
def test_overlapping_spans_lose_none_silently(case: Case) -> None:
    text, spans = case
    tags, lost = spans_to_iob2(split_words(text), spans)
    gone = [entry for entry in lost if entry.reason != "boundary"]
    assert len(spans_of_iob2(split_words(text), tags)) + len(gone) == len(spans)


@given(texts, st.data())
def test_tags_survive_spans(text: str, data: st.DataObject) -> None:
    words = split_words(text)
    tags: list[str] = []
    for _ in words:
        label = tags[-1][2:] if tags and tags[-1] != "O" else ""
        choices = ["O", "B-PER", "B-LOC", *([f"I-{label}"] if label else [])]
        tags.append(data.draw(st.sampled_from(choices)))
    assert spans_to_iob2(words, spans_of_iob2(words, tags)) == (tags, [])


@given(texts_with_spans(), st.sampled_from(["longest", "first"]))
def test_resolving_overlaps_accounts_for_every_span(case: Case, policy: str) -> None:
    _, spans = case
    kept, lost = resolve_overlaps(spans, policy, "r1")
    assert kept == sorted(set(kept))
    assert all(a.end <= b.start for a, b in pairwise(kept))
    assert Counter(kept) + Counter(entry.span for entry in lost) == Counter(spans)
    for entry in lost:
        rivals = [span for span in kept if overlap(span, entry.span)]
        if entry.reason == "duplicate":
            assert spans.count(entry.span) > 1
        elif policy == "longest":
            assert any(rival.end - rival.start >= entry.span.end - entry.span.start for rival in rivals)
        else:
            assert any(rival.start <= entry.span.start for rival in rivals)


@given(texts_with_spans())
def test_the_policy_error_refuses_exactly_overlaps(case: Case) -> None:
    _, spans = case
    unique = sorted(set(spans))
    if any(overlap(a, b) for i, a in enumerate(unique) for b in unique[i + 1 :]):
        with pytest.raises(DataError, match=r"record 'r1': spans .* overlap; correct them"):
            resolve_overlaps(spans, "error", "r1")
    else:
        assert resolve_overlaps(spans, "error")[0] == unique


def test_nested_spans() -> None:
    university, city = Span(0, 19, "ORG"), Span(14, 19, "LOC")  # University of Paris
    assert resolve_overlaps([city, university], "longest")[0] == [university]
    assert resolve_overlaps([city, university], "first")[0] == [university]


def test_labels_may_nest_where_only_their_own_spans_must_be_disjoint() -> None:
    university, city, town = Span(0, 19, "ORG"), Span(14, 19, "LOC"), Span(15, 19, "LOC")
    kept, lost = resolve_overlaps([town, city, university, city], "longest", "r1", within_labels=True)
    assert kept == [university, city]
    assert [(x.span, x.reason) for x in lost] == [(city, "duplicate"), (town, "overlap")]
    with pytest.raises(DataError, match=r"14-19 'LOC' and 15-19 'LOC' overlap"):
        resolve_overlaps([town, city, university], "error", "r1", within_labels=True)


@given(texts_with_spans())
def test_spans_clash_within_their_label_only(case: Case) -> None:
    _, spans = case
    kept, _ = resolve_overlaps(spans, "longest", within_labels=True)
    assert find_clash(kept) is None
    assert have_overlaps(kept) == any(overlap(a, b) for i, a in enumerate(kept) for b in kept[i + 1 :])
    if len(kept) < len(spans):
        assert find_clash(spans) in spans


def test_the_likeliest_of_overlapping_spans_stay() -> None:
    outer, inner = ScoredSpan(0, 19, "ORG", 0.6), ScoredSpan(14, 19, "LOC", 0.9)
    other = ScoredSpan(30, 35, "LOC", 0.4)
    assert likeliest([outer, inner, other]) == [inner, other]
    assert likeliest([inner, ScoredSpan(14, 19, "ORG", 0.95)]) == [ScoredSpan(14, 19, "ORG", 0.95)]


def test_longest_and_first_differ() -> None:
    short, long = Span(0, 5, "A"), Span(3, 20, "B")
    assert resolve_overlaps([long, short], "first")[0] == [short]
    kept, lost = resolve_overlaps([long, short], "longest", "r1")
    assert (kept, lost[0].span, lost[0].reason) == ([long], short, "overlap")


def test_adjacent_spans_of_one_label_stay_two() -> None:
    words = split_words("New York Paris")
    tags, _ = spans_to_iob2(words, [Span(0, 8, "LOC"), Span(9, 14, "LOC")])
    assert tags == ["B-LOC", "I-LOC", "B-LOC"]
    assert spans_of_iob2(words, tags) == [Span(0, 8, "LOC"), Span(9, 14, "LOC")]


def test_a_boundary_inside_a_word_widens_the_span_and_is_reported() -> None:
    words, span = split_words("the lower core."), Span(4, 13, "Part")  # "lower cor"
    tags, lost = spans_to_iob2(words, [span], "r1")
    assert tags == ["O", "B-Part", "I-Part", "O"]
    assert [(entry.span, entry.reason) for entry in lost] == [(span, "boundary")]
    refined = refine_words(words, [span])
    assert words_to_tokens("the lower core.", refined) == ["the", "lower", "cor", "e", "."]


def test_the_order_of_tags() -> None:
    assert tag_names(["PER", "LOC"]) == ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]


def test_tidying_trims_what_cannot_be_seen_and_reports_it() -> None:
    text = " Paris\u200b\r\n!"
    marked = [
        Span(0, 9, "LOC"),
        Span(1, 6, "LOC"),
        Span(7, 9, "LOC"),
        Span(5, 99, "LOC"),
        Span(-1, 3, "LOC"),
        Span(3, 3, "LOC"),
    ]
    kept, lost = tidy_spans(text, marked, "r1")
    assert kept == [Span(1, 6, "LOC"), Span(1, 6, "LOC")]
    assert [entry.reason for entry in lost] == ["boundary", "empty", "outside", "outside", "empty"]
    assert tidy_spans(text, marked[:1], trim=False) == ([Span(0, 9, "LOC")], [])


@given(texts_with_spans())
def test_tidy_spans_need_no_words_of_white_space(case: Case) -> None:
    text, spans = case
    kept, _ = resolve_overlaps(tidy_spans(text, spans)[0], "longest")
    for token in words_to_tokens(text, refine_words(split_words(text), kept)):
        assert not token.isspace()


def test_labels_may_contain_dashes() -> None:
    tags, _ = spans_to_iob2([(0, 1), (2, 3)], [Span(0, 3, "B-I-x")])
    assert spans_of_iob2([(0, 1), (2, 3)], tags) == [Span(0, 3, "B-I-x")]
