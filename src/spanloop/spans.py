"""Spans of characters, and as IOB2 tags of words; what cannot be kept is counted, never dropped silently.

`refine_words` cuts words at span boundaries, so that the tags of a snapshot hold every span exactly. With unrefined
words (those of a model, which cannot know the spans) a span whose boundary lies inside a word is widened to whole words
and reported as `boundary`.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from spanloop.errors import DataError
from spanloop.records import ScoredSpan, Span
from spanloop.words import Word, is_invisible

OverlapPolicy = Literal["longest", "first", "error"]
LostReason = Literal["overlap", "duplicate", "boundary", "empty", "outside"]


@dataclass(frozen=True, slots=True, order=True)
class LostSpan:
    """A span that was not kept exactly as it was given.

    Attributes:
        record_id: The record.
        span: The span as it was given.
        reason: `overlap`: another span stays in its place; `duplicate`: the same span stands there already;
            `boundary`: kept, with its edges moved to the nearest words; `empty`: no visible character in it;
            `outside`: beyond the ends of the text.
    """

    record_id: str
    span: Span
    reason: LostReason


def tag_names(labels: Sequence[str]) -> list[str]:
    """Name the IOB2 tags of a label scheme, in the one order that models and snapshots use.

    Args:
        labels: Labels in the order of the configuration.

    Returns:
        `["O", "B-a", "I-a", "B-b", "I-b", …]`.
    """
    return ["O", *(f"{prefix}-{label}" for label in labels for prefix in "BI")]


def tidy_spans(
    text: str, spans: Iterable[Span], record_id: str = "", *, trim: bool = True
) -> tuple[list[Span], list[LostSpan]]:
    """Bring the spans that one person marked into the text, and trim what cannot be seen from their edges.

    Args:
        text: The text they were marked in.
        spans: As they were marked; duplicates and overlaps may be among them and stay.
        record_id: Named in losses.
        trim: Take white space and other invisible characters that belong to no word from the edges.

    Returns:
        The tidy spans in the given order, and those that were dropped (`outside`, `empty`) or trimmed (`boundary`).
    """
    kept, lost = list[Span](), list[LostSpan]()
    for span in spans:
        start, end = span.start, span.end
        if not 0 <= start <= end <= len(text):
            lost.append(LostSpan(record_id, span, "outside"))
            continue
        while trim and start < end and is_invisible(text[end - 1]):
            end -= 1
        while trim and start < end and is_invisible(text[start]):
            start += 1
        if start == end:
            lost.append(LostSpan(record_id, span, "empty"))
            continue
        if end - start < span.end - span.start:
            lost.append(LostSpan(record_id, span, "boundary"))
        kept.append(Span(start, end, span.label))
    return kept, lost


def have_overlaps(spans: Iterable[Span]) -> bool:
    """Whether any two spans share a character."""
    return any(before.end > span.start for before, span in pairwise(sorted(spans)))


def find_clash(spans: Iterable[Span]) -> Span | None:
    """The first span that shares a character with one of its own label before it; None: none does."""
    ends: dict[str, int] = {}
    for span in sorted(spans):
        if span.start < ends.get(span.label, 0):
            return span
        ends[span.label] = span.end
    return None


def resolve_overlaps(
    spans: Iterable[Span], policy: OverlapPolicy, record_id: str = "", *, within_labels: bool = False
) -> tuple[list[Span], list[LostSpan]]:
    """Make spans unique and disjoint.

    Args:
        spans: Spans in any order, with duplicates and overlaps.
        policy: `longest` keeps the longest of overlapping spans (of equal ones the first, then the first label in
            alphabetical order); `first` keeps the one that starts first (of those the longest); `error` keeps none.
        record_id: Named in errors and losses.
        within_labels: Make only the spans of each label disjoint; those of different labels may overlap.

    Returns:
        The spans that stay, sorted, and those that do not.

    Raises:
        DataError: The policy is `error` and two spans overlap.
    """
    given = sorted(spans)
    if within_labels:
        groups = [[span for span in given if span.label == label] for label in sorted({s.label for s in given})]
        parts = [resolve_overlaps(group, policy, record_id) for group in groups]
        return sorted(s for kept, _ in parts for s in kept), sorted(s for _, lost in parts for s in lost)
    unique = sorted(set(given))
    lost = [LostSpan(record_id, span, "duplicate") for before, span in pairwise(given) if span == before]
    if all(before.end <= span.start for before, span in pairwise(unique)):
        return unique, lost
    kept: list[Span] = []
    for span in sorted(unique, key=_longest_first if policy == "longest" else _first_first):
        other = _overlapping(kept, span)
        if other is None:
            kept.insert(bisect_left(kept, span), span)
        elif policy == "error":
            raise DataError(
                f"record {record_id!r}: spans {_show(other)} and {_show(span)} overlap; "
                "correct them in Argilla, or set annotations.overlaps to 'longest' or 'first'"
            )
        else:
            lost.append(LostSpan(record_id, span, "overlap"))
    return kept, sorted(lost)


def likeliest(spans: Iterable[ScoredSpan]) -> list[ScoredSpan]:
    """Of scored spans that overlap only the likeliest, sorted."""
    kept: dict[Span, ScoredSpan] = {}
    for scored in sorted(spans, key=lambda scored: (-scored.score, scored)):
        if _overlapping(sorted(kept), scored.span) is None:
            kept[scored.span] = scored
    return sorted(kept.values())


def refine_words(words: Sequence[Word], spans: Sequence[Span]) -> list[Word]:
    """Cut words at the boundaries of spans, so that every span is a row of whole words.

    White space at a span's edge becomes a word of its own: the tags then hold the span exactly.

    Args:
        words: Words as `split_words` gives them.
        spans: Sorted, disjoint spans, none empty.

    Returns:
        The words, sorted; the same list of words where all boundaries already agree.
    """
    starts, ends = {start for start, _ in words}, {end for _, end in words}
    if all(span.start in starts and span.end in ends for span in spans):
        return list(words)
    cuts = sorted({edge for span in spans for edge in (span.start, span.end)})
    refined: list[Word] = []
    for start, end in words:
        inside = cuts[bisect_right(cuts, start) : bisect_left(cuts, end)]
        refined.extend(zip([start, *inside], [*inside, end], strict=True))
    firsts = [start for start, _ in refined]
    filled = list(refined)
    for span in spans:
        low, high = bisect_left(firsts, span.start), bisect_left(firsts, span.end)
        if low == high:
            filled.append((span.start, span.end))
            continue
        if span.start < refined[low][0]:
            filled.append((span.start, refined[low][0]))
        if refined[high - 1][1] < span.end:
            filled.append((refined[high - 1][1], span.end))
    return sorted(filled)


def touched_words(words: Sequence[Word], span: Span) -> tuple[int, int]:
    """Find the words that share a character with a span.

    Args:
        words: Words as `split_words` gives them.
        span: The span.

    Returns:
        Index of the first such word and index after the last; the first is not smaller where there is none.
    """
    low = bisect_right(words, span.start, key=lambda word: word[1])
    return low, bisect_left(words, span.end, key=lambda word: word[0])


def spans_to_iob2(
    words: Sequence[Word], spans: Iterable[Span], record_id: str = ""
) -> tuple[list[str], list[LostSpan]]:
    """Tag words with spans.

    A word belongs to a span if they share a character; where two spans share a word, the earlier span has it.

    Args:
        words: Words as `split_words` or `refine_words` gives them.
        spans: Spans; sorted here, best already disjoint.
        record_id: Named in losses.

    Returns:
        One tag a word (`O`, `B-label`, `I-label`), and the spans that the tags do not hold exactly.
    """
    tags, lost = ["O"] * len(words), list[LostSpan]()
    free, previous = 0, None
    for span in sorted(spans):
        low, high = touched_words(words, span)
        if low >= high or high <= free:
            reason: LostReason = "empty" if low >= high else "duplicate" if span == previous else "overlap"
            lost.append(LostSpan(record_id, span, reason))
            continue
        if words[low][0] != span.start or words[high - 1][1] != span.end or low < free:
            lost.append(LostSpan(record_id, span, "boundary"))
        low, free, previous = max(low, free), high, span
        tags[low:high] = [f"B-{span.label}", *[f"I-{span.label}"] * (high - low - 1)]
    return tags, lost


def _overlapping(kept: Sequence[Span], span: Span) -> Span | None:
    """The one of some sorted, disjoint spans that shares a character with `span`."""
    after = bisect_left(kept, span.start, key=lambda other: other.start)
    for other in kept[max(after - 1, 0) : after + 1]:
        if other.start < span.end and span.start < other.end:
            return other
    return None


def _longest_first(span: Span) -> tuple[int, int, str]:
    return (span.start - span.end, span.start, span.label)


def _first_first(span: Span) -> tuple[int, int, str]:
    return (span.start, -span.end, span.label)


def _show(span: Span) -> str:
    return f"{span.start}-{span.end} {span.label!r}"
