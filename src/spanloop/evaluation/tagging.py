"""Character spans as IOB2 tags over one common segmentation, so that seqeval measures exactly the given spans.

Gold and predictions are character spans, seqeval compares tag sequences. Tagging both over plain words would round
boundaries to words: "Par" in "Paris", or a span with a trailing blank, would count as right. So the words of
`spanloop.words` are cut again at every boundary of a gold or predicted span. Blanks between words stay out, as usual,
unless a span begins or ends there. Each span is then exactly one run of units, and two spans have the same run if and
only if they have the same characters.
"""

from collections.abc import Sequence
from itertools import pairwise

from spanloop.records import Span
from spanloop.words import split_words

Units = list[tuple[int, int]]


def units(text: str, spans: Sequence[Span]) -> Units:
    """Cut a text into words, and the words at the boundaries of spans.

    Args:
        text: The record's text.
        spans: Every span, gold and predicted, that is to be tagged.

    Returns:
        Half-open character offsets, in order: parts of words, and those blanks at which a span begins or ends.
    """
    words = split_words(text)
    starts, ends = {s.start for s in spans}, {s.end for s in spans}
    cuts = sorted({0, len(text), *starts, *ends, *(edge for word in words for edge in word)})
    segments, word = [], 0
    for start, end in pairwise(cuts):
        while word < len(words) and words[word][1] <= start:
            word += 1
        in_word = word < len(words) and words[word][0] <= start
        if in_word or start in starts or end in ends:
            segments.append((start, end))
    return segments


def iob2(segments: Units, spans: Sequence[Span], names: dict[str, str]) -> list[str]:
    """Tag units with IOB2.

    Args:
        segments: What `units` returned for spans that include these.
        spans: Sorted, disjoint spans.
        names: Tag name by label.

    Returns:
        One of `O`, `B-name`, `I-name` a unit.
    """
    tags, current = [], 0
    for start, _ in segments:
        while current < len(spans) and spans[current].end <= start:
            current += 1
        span = spans[current] if current < len(spans) and spans[current].start <= start else None
        tags.append(f"{'B' if start == span.start else 'I'}-{names[span.label]}" if span else "O")
    return tags
