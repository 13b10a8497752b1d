"""The word splitter of spanloop: fixed, independent of any model, and the unit in which spans are decided.

A word is, in this order of preference:

- two regional indicators (a flag);
- one character of a script that writes without spaces or glues particles to names (Han, Kana, Hangul, Thai, Lao,
  Khmer, Myanmar, Tibetan), because names begin and end inside its written runs; conjoining Hangul jamo of one
  syllable stay together;
- a run of letters and digits of any other script, with invisible format characters (soft hyphen) inside;
- any other visible character alone: punctuation, `_`, symbols, emoji, with emoji joined by a zero-width joiner as one.

Combining marks, variation selectors, skin tones and zero-width (non-)joiners stay with what they follow. White space,
the zero-width space, control characters and format characters at a word's edge belong to no word.
The rules follow Unicode Standard Annex #29 (word boundaries), except that punctuation always splits.
"""

import re
import sys
import unicodedata
from collections.abc import Iterable
from functools import cache

Word = tuple[int, int]

_ASCII = re.compile(r"[A-Za-z0-9]+|[!-/:-@\[-`{-~]")
_JOINER, _NON_JOINER, _ZERO_WIDTH_SPACE = "\u200d", "\u200c", "\u200b"
_INVISIBLE = ("Cc", "Cf", "Zs", "Zl", "Zp")
_EMOJI_TAGS = "\U000e0020-\U000e007f"
_SKIN_TONES = "\U0001f3fb-\U0001f3ff"
_CHARACTER_SCRIPTS = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u0f00-\u0fff"  # Tibetan
    "\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f"  # Myanmar
    "\u1780-\u17ff"  # Khmer
    "\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff\uffa0-\uffdc"  # Hangul
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # Han
    "\U00020000-\U0003ffff"  # Han
    "\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f\U0001aff0-\U0001b16f"  # Hiragana, Katakana
)
_JAMO = r"[\u1100-\u115f\ua960-\ua97c]+[\u1160-\u11a7\ud7b0-\ud7c6]*[\u11a8-\u11ff\ud7cb-\ud7fb]*"
_FLAG = "[\U0001f1e6-\U0001f1ff]{2}"


def split_words(text: str) -> list[Word]:
    """Split a text into words.

    Args:
        text: Any text.

    Returns:
        Offsets `(start, end)` of each word, half-open, in code points; sorted, disjoint, none empty, none with white
        space inside.
    """
    pattern = _ASCII if text.isascii() else _unicode_pattern()
    return [match.span() for match in pattern.finditer(text)]


def words_to_tokens(text: str, words: Iterable[Word]) -> list[str]:
    """Cut the words out of their text.

    Args:
        text: The text.
        words: Offsets as `split_words` gives them.

    Returns:
        One string a word.
    """
    return [text[start:end] for start, end in words]


@cache
def is_invisible(character: str) -> bool:
    """Is this a character that belongs to no word, at the edge of one?

    Args:
        character: One character.

    Returns:
        True for white space, control characters and format characters; not for joiners and emoji tags, which stay
        with what they follow.
    """
    kept = character in _JOINER + _NON_JOINER or "\U000e0020" <= character <= "\U000e007f"
    return character.isspace() or (unicodedata.category(character) in _INVISIBLE and not kept)


@cache
def _unicode_pattern() -> re.Pattern[str]:
    marks = _characters("Mn", "Mc", "Me") + _SKIN_TONES
    formats = _characters("Cf", but=_JOINER + _NON_JOINER + _ZERO_WIDTH_SPACE)
    invisible = _characters(*_INVISIBLE)
    follow = f"[{marks}{_JOINER}{_NON_JOINER}]"
    letter = rf"[^\W_{_CHARACTER_SCRIPTS}]"
    # `++` and `*+` never give back what they took: long texts of marks cost no memory.
    letters = f"{letter}++(?:{follow}++{letter}*+)*+"
    other = rf"(?:(?![^\W_])[^\s{invisible}])"
    sequence = f"(?:[{marks}{_NON_JOINER}{_EMOJI_TAGS}]|{_JOINER}{other}?+)*+"
    return re.compile(
        # The fast way: ASCII before ASCII, to which nothing can attach.
        r"(?:[A-Za-z0-9]++|[!-/:-@\[-`{-~])(?![^\x00-\x7f])"
        f"|{letters}(?:[{formats}]++{letters})*+"
        f"|{_JAMO}{follow}*+|[{_CHARACTER_SCRIPTS}]{follow}*+"
        f"|{_FLAG}{follow}*+|{other}{sequence}"
    )


def _characters(*categories: str, but: str = "") -> str:
    """The characters of some Unicode categories, as the inside of a regular expression's class."""
    # Above plane 1 only Han (no marks, no formats) and plane 14 (tags, variation selectors) are assigned.
    codes = [*range(0x20000), *range(0xE0000, 0xE0200)]
    wanted = [code for code in codes if unicodedata.category(chr(code)) in categories and chr(code) not in but]
    ranges: list[list[int]] = []
    for code in wanted:
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(f"{re.escape(chr(low))}-{re.escape(chr(min(high, sys.maxunicode)))}" for low, high in ranges)
