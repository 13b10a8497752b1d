"""Between a text and what the annotation page makes of it.

Argilla's web page puts a record's field into the page as HTML and counts span offsets in the text node that comes
out, in UTF-16 code units; the server checks them against the number of code points of the stored field. Read in the
page's source (`innerHTML` of the field, `anchorOffset`/`focusOffset` of the selection) and seen in Chromium:

| in the field             | in the text node                  | offsets behind it        |
|--------------------------|-----------------------------------|--------------------------|
| a character past U+FFFF  | two code units                    | one more                 |
| CR LF                    | LF                                | one less                 |
| a lone CR                | LF                                | the same                 |
| U+0000                   | nothing                           | one less                 |
| a combining mark         | itself                            | the same                 |
| `&amp;`, `&lt`, `&#169;` | the character                     | fewer, by the reference  |
| `<b>`, `</`, `<!`, `<?`  | markup: the text node ends there  | start again from 0       |

An annotator can thus mark the last word of a text with an emoji only where the stored field has room for the larger
offsets, and can mark nothing safely behind markup. So a text is stored as `to_field` says: markup escaped where the
page would take it for markup, and word joiners (U+2060, invisible) at the end where offsets need the room. Both are
undone by `from_field`. Nearly every text is stored as it is.

All offsets in Argilla are taken to be the page's: nothing in Argilla tells a response marked in the page from one
sent by a program, the page shows all of them by its own count, and spanloop itself writes that count. A program
that counts otherwise is shown shifted in Argilla too.
"""

import html
import re
from bisect import bisect_left, bisect_right
from itertools import accumulate

_MARKUP = re.compile(r"<[A-Za-z/!?]")
_PLAIN = re.compile(r"[\x01-\x0c\x0e-\uffff]*")  # one code unit each, in the field and in the page
_ROOM = "\u2060"


def to_field(text: str) -> str:
    """The text as it is stored in Argilla, so that the page shows exactly `text` and the server accepts its offsets."""
    field = text
    if _MARKUP.search(text) or html.unescape(text) != text:
        field = text.replace("&", "&amp;").replace("<", "&lt;")
    return field + _ROOM * max(0, page_length(text) - len(field))


def from_field(field: str) -> str:
    """The text that the page shows for a stored field, line ends kept; the inverse of `to_field`."""
    body = field.rstrip(_ROOM)
    text = body if _MARKUP.search(body) else html.unescape(body)
    joiners, room = len(field) - len(body), max(0, page_length(text) - len(body))
    return text + _ROOM * (joiners - room if joiners >= room else joiners)


def page_length(text: str) -> int:
    """Length of the text in the page, in UTF-16 code units."""
    return len(text) if _PLAIN.fullmatch(text) else sum(map(_width, text, text[1:] + " "))


class PageOffsets:
    """Translates offsets of one text between code points and the page's count."""

    def __init__(self, text: str) -> None:
        self._length = len(text)
        self._starts: list[int] | None = None
        if not _PLAIN.fullmatch(text):
            self._starts = [0, *accumulate(map(_width, text, text[1:] + " "))]

    def to_page(self, start: int, end: int) -> tuple[int, int]:
        """Code points to the page's count.

        Args:
            start: First code point of a span.
            end: The code point after its last one, at most the length of the text.
        """
        return (start, end) if self._starts is None else (self._starts[start], self._starts[end])

    def from_page(self, start: int, end: int) -> tuple[int, int]:
        """The page's count to code points; an offset inside a character takes the whole character in.

        Ends behind the text, in the room that `to_field` adds, are drawn back to its end.
        """
        if self._starts is None:
            return min(start, self._length), min(end, self._length)
        first = bisect_left(self._starts, start)
        if first > self._length or self._starts[first] != start:
            first = bisect_right(self._starts, start) - 1
        return first, min(bisect_left(self._starts, end), self._length)


def _width(character: str, following: str) -> int:
    """Code units that a character has in the page."""
    if character == "\r":
        return 0 if following == "\n" else 1
    return 2 if character > "\uffff" else int(character != "\0")
