"""Tokens to text, and tags of tokens to spans of characters."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate

from spanloop.errors import DataError
from spanloop.records import Span

_OUTSIDE = ("O", "_")
_STARTS, _GOES_ON, _ENDS = set("BSUW"), set("IELM"), set("ESLUW")
_TAG = re.compile(r"[BSUWIELM]-(?=.*\S)(.+)", re.DOTALL)


def join_tokens(tokens: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
    """Join tokens by single spaces.

    Returns:
        The text, and start and end of every token in it.
    """
    starts = list(accumulate((len(token) + 1 for token in tokens), initial=0))
    return " ".join(tokens), [(start, start + len(token)) for start, token in zip(starts, tokens, strict=False)]


@lru_cache(maxsize=4096)
def label_of(tag: str) -> str | None:
    """The label of a tag such as `B-place`; empty for one that is outside, None for what is no tag."""
    if tag in _OUTSIDE:
        return ""
    found = _TAG.fullmatch(tag)
    return found[1] if found else None


def is_tag(cell: str) -> bool:
    """Whether it is like `B-place`, or `O`; `_` stands for nothing in many columns."""
    return cell == "O" or (cell[1:2] == "-" and bool(label_of(cell)))


def no_tag(tag: str, where: str) -> DataError:
    """What is wrong with a tag that has no label and is not outside."""
    if not tag.strip():
        return DataError(f"{where}: the tag is empty; write O for a token outside of spans")
    return DataError(f"{where}: tag {tag[:50]!r} is neither O nor like B-name, I-name; see IOB2")


def spans_of_tags(tags: Sequence[str], offsets: Sequence[tuple[int, int]], where: str) -> list[Span]:
    """Read IOB1, IOB2, IOBES or BILOU tags; a tag that continues nothing starts a span.

    Args:
        tags: One tag a token; `O` and `_` are outside.
        offsets: Start and end of every token.
        where: The place, for errors.

    Raises:
        DataError: A tag is of none of these schemes, or tags and tokens differ in number.
    """
    if len(tags) != len(offsets):
        raise DataError(f"{where}: {len(tags)} tags for {len(offsets)} tokens; every token needs one")
    spans: list[Span] = []
    open_label = ""
    for number, (tag, (start, end)) in enumerate(zip(tags, offsets, strict=True), start=1):
        label = label_of(tag)
        if label is None:
            raise no_tag(tag, f"{where}, token {number}")
        if label and (tag[0] in _STARTS or label != open_label):
            spans.append(Span(start, end, label))
        elif label:
            spans[-1] = Span(spans[-1].start, end, label)
        open_label = "" if tag[0] in _ENDS else label
    return spans


def scheme_of(sentences: Iterable[Sequence[str]]) -> tuple[str, int]:
    """The scheme of the tags of a whole file.

    Args:
        sentences: The tags of each sentence, all of them well formed.

    Returns:
        `IOB1`, `IOB2`, `BIOES`, `BILOU`, or several joined by `+`; and how many tags continue nothing where the scheme
        wants a beginning. Such a tag starts a span.
    """
    prefixes: set[str] = set()
    strays = touching = apart = 0
    for tags in sentences:
        before = ""
        for tag in tags:
            label = label_of(tag) or ""
            if label:
                prefixes.add(tag[0])
                strays += tag[0] in _GOES_ON and label != before
                touching += tag[0] == "B" and label == before
                apart += tag[0] == "B" and label != before
            before = "" if tag[0] in _ENDS else label
    named = ["BIOES"] * bool(prefixes & set("ESWM")) + ["BILOU"] * bool(prefixes & set("LU"))
    if not named and strays and not apart:
        return "IOB1", 0  # there a B only parts two spans that touch
    return "+".join(named) or "IOB2", strays
