"""Offsets that do not count code points: what else they count."""

from collections.abc import Sequence

from spanloop.records import Span

_UNITS = {"UTF-16 units": ("utf-16-le", 2), "bytes of UTF-8": ("utf-8", 1)}


def unit_that_fits(text: str, spans: Sequence[Span], contents: Sequence[str | None]) -> str:
    """What the offsets of a record count, where they do not count code points; nothing where no count fits.

    Args:
        text: The record's text.
        spans: Its spans, as the file says them.
        contents: What the file says that each span holds, or None.
    """
    for unit in _UNITS:
        places = code_points(text, unit)
        found = [(places.get(span.start), places.get(span.end)) for span in spans]
        if all(
            start is not None and end is not None and start < end and content in (None, text[start:end])
            for (start, end), content in zip(found, contents, strict=True)
        ):
            return unit
    return ""


def code_points(text: str, unit: str) -> dict[int, int]:
    """The offset in code points of every offset in `UTF-16 units` or `bytes of UTF-8` between two characters."""
    encoding, size = _UNITS[unit]
    places, place = {0: 0}, 0
    for number, character in enumerate(text, start=1):
        place += len(character.encode(encoding, "surrogatepass")) // size
        places[place] = number
    return places
