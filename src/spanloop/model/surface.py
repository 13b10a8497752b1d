"""The surface of words that tokenizers drop: capital letters, and whether white space stands beside a word.

An uncased tokenizer turns "Apple" and "apple" into one subword, and with the capitals goes the best cue for names that
few labels can give. WordPiece also forgets white space: "@ada", the name of an account, and "@ ada" are the same
subwords, as are "(MR)" and "( MR )". Each subword therefore carries the surface of its word beside its id: one of four
letter cases, after the caps feature of Collobert et al. (2011, https://arxiv.org/abs/1103.0398, section 6.1), with or
without another word glued to its left, and to its right. The model reads it as its token type (`training.token_types`).
What the tokenizer keeps is left out. What it is worth: `docs/lab-notes.md`.
"""

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from spanloop.model.ragged import Ints

Feature = Literal["case", "space"]
FEATURES: tuple[Feature, ...] = get_args(Feature)

CLASSES = 16
"""Letter case (no capital, first letter alone, all letters, other), + 4 if glued to its left, + 8 to its right."""
_NONE, _FIRST, _ALL, _OTHER = range(4)
_GLUED_LEFT, _GLUED_RIGHT = 4, 8
_LAST_CASED = 0x1F000  # no letter above has a case
_PROBES: dict[Feature, tuple[str, str]] = {
    "case": ("Paris NATO eBay", "paris nato ebay"),
    "space": ("at @ada (mr)", "at @ ada ( mr )"),
}


def dropped(tokenizer: Any) -> tuple[Feature, ...]:
    """What a tokenizer drops: that which changes none of its ids."""
    ids = {name: [tokenizer(text)["input_ids"] for text in pair] for name, pair in _PROBES.items()}
    return tuple(name for name, (one, other) in ids.items() if one == other)


def surface_classes(texts: Sequence[str], starts: Ints, stops: Ints, features: Collection[Feature]) -> Ints:
    """The class of each word.

    Args:
        texts: Texts.
        starts: (n_words,) first code point of each word, counted over all texts with one free place after each.
        stops: (n_words,) one past its last code point.
        features: What to tell; the rest is as if no word had it.

    Returns:
        (n_words,) classes in 0..15.
    """
    classes = np.zeros(len(starts), dtype=np.int64)
    if "case" in features:
        classes += _cases(texts, starts, stops)
    if "space" in features:
        glued = starts[1:] == stops[:-1]
        classes[1:] += _GLUED_LEFT * glued
        classes[:-1] += _GLUED_RIGHT * glued
    return classes


def _cases(texts: Sequence[str], starts: Ints, stops: Ints) -> Ints:
    codes = np.frombuffer("\0".join([*texts, ""]).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    upper, lower = _letters()
    codes = np.minimum(codes, _LAST_CASED)
    is_upper, is_lower = upper[codes], lower[codes]
    capitals, small = (_counts(flags, starts, stops) for flags in (is_upper, is_lower))
    cases = np.full(len(starts), _OTHER, dtype=np.int64)
    cases[small == 0] = _ALL
    cases[(capitals == 1) & is_upper[starts]] = _FIRST
    cases[capitals == 0] = _NONE
    return cases


def _counts(flags: npt.NDArray[np.bool_], starts: Ints, stops: Ints) -> Ints:
    running = np.concatenate([[0], np.cumsum(flags)])
    return np.asarray(running[stops] - running[starts])


@cache
def _letters() -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """For each code point whether it is a capital letter, and whether it is a small one."""
    characters = [chr(code) for code in range(_LAST_CASED)] + ["\0"]
    return np.array([c.isupper() for c in characters]), np.array([c.islower() for c in characters])
