"""Offsets that do not count code points: what else they count."""

from collections import Counter
from collections.abc import Sequence

from spanloop.errors import DataError
from spanloop.records import Span

_UNITS = {"UTF-16 units": ("utf-16-le", 2), "bytes of UTF-8": ("utf-8", 1)}
CONVERSIONS = {
    "UTF-16 units": "make each len(text.encode('utf-16-le')[: 2 * offset].decode('utf-16-le')) in Python",
    "bytes of UTF-8": "make each len(text.encode()[:offset].decode()) in Python",
}
"""How to make characters of each unit, in words."""


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


class OffsetUnits:
    """What the offsets of a file count where it does not say the words that it marks: its own words tell.

    Of texts in which the units differ, some are cut in the middle of words when read in code points. Where most of them
    would not be, read in another unit, that is what the file counts.
    """

    def __init__(self) -> None:
        """Start with nothing seen."""
        self._right: Counter[str] = Counter()
        self._wrong: Counter[str] = Counter()
        self._places: dict[str, str] = {}

    def add(self, text: str, spans: Sequence[Span], where: str) -> None:
        """See the spans of a record, which fit its text."""
        if text.isascii() or not spans:
            return
        is_whole = _are_whole(text, [(span.start, span.end) for span in spans])
        for unit, (encoding, size) in _UNITS.items():
            raw = text.encode(encoding)
            found = [tuple(_characters(raw, offset * size, encoding) for offset in (x.start, x.end)) for x in spans]
            if found == [(span.start, span.end) for span in spans]:
                continue
            fits = all(0 <= start < end for start, end in found) and _are_whole(text, found)
            self._right[unit] += is_whole and not fits
            self._wrong[unit] += fits and not is_whole
            if fits and not is_whole:
                self._places.setdefault(unit, where)

    def refuse(self) -> None:
        """Tell of the unit that the file counts, if it is another one.

        Raises:
            DataError: It is.
        """
        for unit, count in self._wrong.items():
            if count > self._right[unit]:
                raise DataError(
                    f"{self._places[unit]}: spans begin or end inside a word, and would not if offsets counted {unit} "
                    f"({count:,} such texts): {CONVERSIONS[unit]}; or write the words of each span beside it, as 'text'"
                )


def _characters(raw: bytes, at: int, encoding: str) -> int:
    """How many characters stand before a byte; -1 where it is inside one or behind the end."""
    try:
        return len(raw[:at].decode(encoding)) if at <= len(raw) else -1
    except UnicodeDecodeError:
        return -1


def _are_whole(text: str, places: Sequence[tuple[int, ...]]) -> bool:
    """Whether no span begins or ends in white space or between two letters of a word."""
    return all(
        not text[start].isspace()
        and not text[end - 1].isspace()
        and not _is_inside(text[start - 1 : start + 1])
        and not _is_inside(text[end - 1 : end + 1])
        for start, end in places
    )


def _is_inside(pair: str) -> bool:
    """Whether two characters are letters or digits of one word; those of scripts without case say nothing."""
    return len(pair) == 2 and all(letter.isdigit() or letter.lower() != letter.upper() for letter in pair)
