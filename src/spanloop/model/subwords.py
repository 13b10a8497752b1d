"""Subwords with character offsets, and their cutting where a subword runs over the end of a word."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

from spanloop.model.ragged import Ints, boundaries

_REMEMBERED = 50_000
"""Cuts of subwords that are remembered: an unknown subword may have any text, and a pool may hold millions of them."""


@dataclass(frozen=True, slots=True)
class Subwords:
    """Subwords of many texts, flat.

    Attributes:
        ids: (n_subwords,) vocabulary ids.
        start: (n_subwords,) first code point.
        stop: (n_subwords,) one past the last code point.
        bounds: (n_texts + 1,) text `i` has the subwords `bounds[i]:bounds[i + 1]`.
    """

    ids: Ints
    start: Ints
    stop: Ints
    bounds: Ints

    def shifted(self, base: Ints) -> "Subwords":
        """The same with the offsets of text `i` moved by `base[i]`, so that offsets of all texts are in one order."""
        move = np.repeat(base[:-1], np.diff(self.bounds))
        return Subwords(self.ids, self.start + move, self.stop + move, self.bounds)

    def words(self, words: Ints) -> tuple[Ints, Ints]:
        """The words that each subword overlaps.

        Args:
            words: (n_words, 2) first code point of each word and one past its last; rising.

        Returns:
            (n_subwords,) the first such word, and (n_subwords,) how many; the first means nothing where there is none.
        """
        first = np.searchsorted(words[:, 1], self.start, side="right")
        after = np.searchsorted(words[:, 0], self.stop, side="left")
        return first, np.maximum(after - first, 0)


def cut_at_words(parts: "SubwordParts", texts: Sequence[str], base: Ints, subwords: Subwords, words: Ints) -> Subwords:
    """Cut each subword that runs over the end of a word and look its parts up again.

    Args:
        parts: Looks up parts of subwords.
        texts: The texts.
        base: (n_texts + 1,) shift of the offsets of each text.
        subwords: The subwords, shifted by `base`.
        words: (n_words, 2) code points of the words, shifted by `base`.

    Returns:
        The subwords, in order; one whose parts are not in the vocabulary stays whole.
    """
    first, count = subwords.words(words)
    crossing = np.flatnonzero(count > 1)
    if not len(crossing):
        return subwords
    text_of = np.searchsorted(subwords.bounds, crossing, side="right") - 1
    found: dict[int, list[tuple[int, int, int]]] = {}
    for i, t in zip(crossing.tolist(), text_of.tolist(), strict=True):
        cuts = [subwords.start[i], *words[first[i] + 1 : first[i] + count[i], 0], subwords.stop[i]]
        local = [int(c - base[t]) for c in cuts]
        ids = parts.of(int(subwords.ids[i]), tuple(texts[t][a:b] for a, b in pairwise(local)))
        if ids:
            found[i] = [(x, int(cuts[k]), int(cuts[k + 1])) for k, part in enumerate(ids) for x in part]
    return _replace(subwords, found)


def _replace(subwords: Subwords, found: dict[int, list[tuple[int, int, int]]]) -> Subwords:
    """Put (id, start, stop) triples in the place of the subwords that they were cut from."""
    if not found:
        return subwords
    repeats = np.ones(len(subwords.ids), dtype=np.int64)
    where = np.array(list(found), dtype=np.int64)
    repeats[where] = [len(parts) for parts in found.values()]
    ids, start, stop = (np.repeat(x, repeats) for x in (subwords.ids, subwords.start, subwords.stop))
    new = np.array([part for parts in found.values() for part in parts], dtype=np.int64)
    changed = np.zeros(len(repeats), dtype=bool)
    changed[where] = True
    target = np.repeat(changed, repeats)
    ids[target], start[target], stop[target] = new.T
    return Subwords(ids, start, stop, boundaries(repeats)[subwords.bounds])


class SubwordParts:
    """Looks up the ids of the parts of a subword, and remembers the cuts used last."""

    def __init__(self, backend: Any, unknown_id: int | None) -> None:
        """Wrap a `tokenizers.Tokenizer`; `unknown_id` is what it gives for text that it cannot spell."""
        self._backend = backend
        self._unknown = unknown_id
        # GPT-2's vocabulary spells bytes, one character a byte; others spell characters.
        self._bytes = "ByteLevel(" in repr(backend.pre_tokenizer) + repr(backend.decoder)
        self._cached = lru_cache(maxsize=_REMEMBERED)(self._look_up)

    def of(self, subword: int, texts: tuple[str, ...]) -> list[list[int]] | None:
        """Ids of each part of `subword`, whose parts cover `texts`; None if the vocabulary lacks one."""
        return self._cached(subword, texts)

    def _look_up(self, subword: int, texts: tuple[str, ...]) -> list[list[int]] | None:
        """Cut the token from its right end: what stands before its text (a space, `##`) stays with the first part."""
        token = self._backend.id_to_token(subword)
        sizes = [len(text.encode("utf-8", "replace")) if self._bytes else len(text) for text in texts]
        if len(token) < sum(sizes):
            return None
        cuts = [0, *(len(token) - sum(sizes[k:]) for k in range(1, len(sizes))), len(token)]
        ids = [self._ids(token[a:b]) for a, b in pairwise(cuts)]
        return ids if all(ids) else None

    def _ids(self, part: str) -> list[int]:
        """Ids that spell a part; empty where none do."""
        if (whole := self._backend.token_to_id(part)) is not None:
            return [whole]
        ids = [token.id for token in self._backend.model.tokenize(part)]
        return [] if self._unknown in ids else ids
