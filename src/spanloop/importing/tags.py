"""Tokens to text, and tags of tokens to spans of characters."""

from collections.abc import Sequence
from itertools import accumulate

from spanloop.errors import DataError
from spanloop.records import Span

_STARTS, _GOES_ON, _ENDS = set("BSU"), set("IEL"), set("ESLU")


def join_tokens(tokens: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
    """Join tokens by single spaces.

    Returns:
        The text, and start and end of every token in it.
    """
    starts = list(accumulate((len(token) + 1 for token in tokens), initial=0))
    return " ".join(tokens), [(start, start + len(token)) for start, token in zip(starts, tokens, strict=False)]


def spans_of_tags(tags: Sequence[str], offsets: Sequence[tuple[int, int]], where: str) -> list[Span]:
    """Read IOB1, IOB2, IOBES or BILOU tags; a tag that continues nothing starts a span.

    Args:
        tags: One tag a token; `O`, `_` and an empty tag are outside.
        offsets: Start and end of every token.
        where: The place, for errors.

    Raises:
        DataError: A tag is of none of these schemes, or tags and tokens differ in number.
    """
    if len(tags) != len(offsets):
        raise DataError(f"{where}: {len(tags)} tags for {len(offsets)} tokens; every token needs one")
    spans: list[Span] = []
    open_label = ""
    for tag, (start, end) in zip(tags, offsets, strict=True):
        if tag in ("O", "_", ""):
            open_label = ""
            continue
        prefix, _, label = tag.partition("-")
        if prefix not in _STARTS | _GOES_ON or not label:
            raise DataError(f"{where}: tag {tag!r} is neither O nor like B-name, I-name; see IOB2")
        if prefix in _STARTS or label != open_label:
            spans.append(Span(start, end, label))
        else:
            spans[-1] = Span(spans[-1].start, end, label)
        open_label = "" if prefix in _ENDS else label
    return spans
