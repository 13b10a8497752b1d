"""Words of a text query, as Elasticsearch's standard analyzer finds them, and how the index is asked for each.

That one follows Unicode's rules for word boundaries (https://unicode.org/reports/tr29): "2024-05-01" is three words,
"don't" and "3.14" one each, every character of Han and Hiragana is one, and so is an emoji.
"""

import re
import unicodedata
from dataclasses import dataclass
from itertools import groupby

_HERE = r"[^\W_]"
_WORD = re.compile(
    rf"""(?: {_HERE} | [\u0300-\u036f_]
          | (?<=[^\W\d_])['’.:·](?=[^\W\d_])
          | (?<=\d)['’.,;](?=\d) )+ | \S""",
    re.VERBOSE,
)
_SINGLE = ("CJK", "HIRAGANA")  # each character is a word
_UNSPACED = ("KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN", "JAVANESE", "BOPOMOFO")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a query.

    Attributes:
        text: In lower case where the index has it so.
        part: Whether it is found anywhere in the text: the index takes a whole sentence of a script without spaces for
            one word, and knows no emoji.
    """

    text: str
    part: bool = False


def words_of(text: str) -> list[Word]:
    """The words of a text in their order; signs between them are none."""
    found: list[Word] = []
    for match in _WORD.finditer(folded(text)):
        if any(map(str.isalnum, match[0])):
            found += _runs(match[0])
        elif unicodedata.category(match[0][0]) == "So":
            found.append(Word(match[0], part=True))
    return found


def folded(text: str) -> str:
    """The one letter whose lower case Lucene and SQLite do not agree on, as Lucene has it."""
    return text.replace("İ", "i")


def _runs(text: str) -> list[Word]:
    """Part a run of letters where scripts without spaces begin and end."""
    found: list[Word] = []
    for script, run in ((script, "".join(chars)) for script, chars in groupby(text, _script)):
        if script == "spaced":
            found += [Word(run)] if any(map(str.isalnum, run)) else []
        else:
            found += [Word(part, part=True) for part in (run if script == "single" else [run])]
    return found


def _script(char: str) -> str:
    name = unicodedata.name(char, "") if ord(char) > 0x0E00 else ""
    return "single" if name.startswith(_SINGLE) else "unspaced" if name.startswith(_UNSPACED) else "spaced"
