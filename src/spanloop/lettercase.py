"""Capital letters for encoders that lower-case their input.

An uncased tokenizer turns "Apple" and "apple" into one piece, and with the capitals goes the best cue for names that
few labels can give. Each piece therefore carries the case of its word beside its id, one of four classes after the caps
feature of Collobert et al. (2011, https://arxiv.org/abs/1103.0398, section 6.1); the model reads it as its token type
(`training.token_types`).
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from spanloop.windows import Ints

CLASSES = 4
"""No capital, first letter alone, all letters, other."""
_NONE, _FIRST, _ALL, _OTHER = range(CLASSES)
_LAST_CASED = 0x1F000  # no letter above has a case
_PROBE = "Paris NATO eBay"


def loses_case(tokenizer: Any) -> bool:
    """Whether a tokenizer gives the same ids to capital and small letters."""
    same: bool = tokenizer(_PROBE)["input_ids"] == tokenizer(_PROBE.lower())["input_ids"]
    return same


def case_classes(texts: Sequence[str], starts: Ints, stops: Ints) -> Ints:
    """The class of each word.

    Args:
        texts: Texts.
        starts: (n_words,) first code point of each word, counted over all texts with one free place after each.
        stops: (n_words,) one past its last code point.

    Returns:
        (n_words,) classes.
    """
    codes = np.frombuffer("\0".join([*texts, ""]).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    upper, lower = _letters()
    codes = np.minimum(codes, _LAST_CASED)
    is_upper, is_lower = upper[codes], lower[codes]
    capitals, small = (_counts(flags, starts, stops) for flags in (is_upper, is_lower))
    classes = np.full(len(starts), _OTHER, dtype=np.int64)
    classes[small == 0] = _ALL
    classes[(capitals == 1) & is_upper[starts]] = _FIRST
    classes[capitals == 0] = _NONE
    return classes


def _counts(flags: npt.NDArray[np.bool_], starts: Ints, stops: Ints) -> Ints:
    running = np.concatenate([[0], np.cumsum(flags)])
    return np.asarray(running[stops] - running[starts])


@cache
def _letters() -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """For each code point whether it is a capital letter, and whether it is a small one."""
    characters = [chr(code) for code in range(_LAST_CASED)] + ["\0"]
    return np.array([c.isupper() for c in characters]), np.array([c.islower() for c in characters])
