"""Texts as a model reads them: subwords aligned to words by character offsets, in overlapping windows.

Everything is flat, ragged numpy; no Python runs per subword. Positions in `Encoded` count over all texts of the call.

Words come from `spanloop.words.split_words`, never from whitespace. Tokenizers disagree with them in three ways:

- A subword begins with the space before its word (byte-level BPE, SentencePiece): offsets may include it; a subword
  belongs to the word that it overlaps, and no word contains a space.
- A subword runs over the end of a word (".," of byte-level BPE): it is cut there and its parts are looked up again, so
  that a span may end at any word. Where the vocabulary has no such parts the words are decided together, as one.
- A word gives no subword (zero-width characters, removed by the tokenizer's normalizer): nothing can be decided about
  it, and it is left out; a span that runs over it covers it.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from spanloop.errors import TrainingError
from spanloop.model.ragged import Ints, boundaries
from spanloop.model.subwords import SubwordParts, Subwords, cut_at_words
from spanloop.model.surface import Feature, surface_classes
from spanloop.model.windows import Windows, plan_windows
from spanloop.model.word_bounds import split_texts

_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Encoded:
    """Encoded texts.

    Attributes:
        subword_ids: (n_subwords,) vocabulary ids, without special tokens.
        subword_word: (n_subwords,) the word a subword belongs to, -1 where it touches none.
        text_subwords: (n_texts + 1,) text `i` has the subwords `text_subwords[i]:text_subwords[i + 1]`.
        word_start: (n_words,) first code point of a word, within its text.
        word_stop: (n_words,) one past its last code point, within its text.
        word_first: (n_words,) its first subword.
        text_words: (n_texts + 1,) text `i` has the words `text_words[i]:text_words[i + 1]`.
        windows: The windows over the subwords.
        subword_surface: (n_subwords,) the surface of a subword's word, a class of `surface`; None: not asked for.
    """

    subword_ids: Ints
    subword_word: Ints
    text_subwords: Ints
    word_start: Ints
    word_stop: Ints
    word_first: Ints
    text_words: Ints
    windows: Windows
    subword_surface: Ints | None

    @property
    def n_texts(self) -> int:
        """Number of texts."""
        return len(self.text_subwords) - 1


class Encoder:
    """Encodes texts with one tokenizer.

    Attributes:
        capacity: Subwords in a window, special tokens not counted.
        prefix: Ids of the special tokens before a window's subwords.
        suffix: Ids of those after it.
    """

    def __init__(
        self, tokenizer: Any, max_length: int, stride: int, surface_features: Collection[Feature] = ()
    ) -> None:
        """Wrap a tokenizer.

        Args:
            tokenizer: A fast Hugging Face tokenizer.
            max_length: Tokens in a window, special tokens included.
            stride: Subwords that neighbouring windows share.
            surface_features: What the model reads of the words' surface as token types.

        Raises:
            TrainingError: The tokenizer is a slow one, which knows no character offsets.
        """
        if not getattr(tokenizer, "is_fast", False):
            name = getattr(tokenizer, "name_or_path", "") or type(tokenizer).__name__
            raise TrainingError(f"{name} has no fast tokenizer, so no character offsets; choose another encoder")
        self._backend = tokenizer.backend_tokenizer
        self._backend.no_truncation()
        self._backend.no_padding()
        self._parts = SubwordParts(self._backend, tokenizer.unk_token_id)
        self.prefix, self.suffix = _special_tokens(self._backend)
        self.pad_id = int(tokenizer.pad_token_id or 0)
        self.capacity = max_length - len(self.prefix) - len(self.suffix)
        self.stride, self._features = stride, surface_features
        if self.capacity < 2:
            raise TrainingError(f"max_length {max_length} leaves no room for text beside special tokens; raise it")

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Tokenize texts, align their words, plan their windows.

        Args:
            texts: Any strings, also empty ones.

        Returns:
            The encoded texts, in the order given.
        """
        subwords = self._tokenize(texts)
        words, text_words = split_texts(texts)
        base = np.cumsum([0, *(len(text) + 1 for text in texts)])  # one free position between texts: nothing overlaps
        words = words + np.repeat(base[:-1], np.diff(text_words))[:, None]
        subwords = cut_at_words(self._parts, texts, base, subwords.shifted(base), words)
        classes = surface_classes(texts, words[:, 0], words[:, 1], self._features) if self._features else None
        return self._assemble(subwords, words, text_words, base, classes)

    def _tokenize(self, texts: Sequence[str]) -> Subwords:
        try:
            encodings = self._backend.encode_batch(list(texts), add_special_tokens=False)
        except (UnicodeEncodeError, TypeError):  # a lone surrogate, which no tokenizer takes
            clean = [_LONE_SURROGATE.sub("\ufffd", text) for text in texts]
            encodings = self._backend.encode_batch(clean, add_special_tokens=False)
        sizes = np.array([len(e) for e in encodings], dtype=np.int64)
        total = int(sizes.sum())
        ids = np.fromiter(chain.from_iterable(e.ids for e in encodings), np.int64, total)
        pairs = chain.from_iterable(chain.from_iterable(e.offsets for e in encodings))
        offsets = np.fromiter(pairs, np.int64, 2 * total).reshape(-1, 2)
        return Subwords(ids, offsets[:, 0], offsets[:, 1], boundaries(sizes))

    def _assemble(self, subwords: Subwords, words: Ints, text_words: Ints, base: Ints, classes: Ints | None) -> Encoded:
        first, count = subwords.words(words)
        where = np.flatnonzero(count > 0)
        unit = _units(first, count, len(words))
        used, rank = np.unique(unit[first[where]], return_inverse=True)
        word_first, stop = np.full(len(used), len(first)), np.zeros(len(used), np.int64)
        np.minimum.at(word_first, rank, where)
        np.maximum.at(stop, rank, words[first[where] + count[where] - 1, 1])
        text_of = np.searchsorted(text_words, used, side="right") - 1
        return Encoded(
            subword_ids=subwords.ids,
            subword_word=_put(rank, where, len(first), rest=-1),
            text_subwords=subwords.bounds,
            word_start=words[used, 0] - base[text_of],
            word_stop=stop - base[text_of],
            word_first=word_first,
            text_words=boundaries(np.bincount(text_of, minlength=len(text_words) - 1)),
            windows=plan_windows(subwords.bounds, self.capacity, self.stride),
            subword_surface=None if classes is None else _put(classes[first[where]], where, len(first), rest=0),
        )


def _units(first: Ints, count: Ints, n_words: int) -> Ints:
    """(n_words,) the first word of those that are decided together, because one subword runs over all of them."""
    crossing = count > 1
    steps = np.zeros(n_words + 2, dtype=np.int64)
    np.add.at(steps, first[crossing] + 1, 1)
    np.add.at(steps, first[crossing] + count[crossing], -1)
    joined = np.cumsum(steps)[:n_words] > 0
    return np.maximum.accumulate(np.where(joined, 0, np.arange(n_words)))


def _put(values: Ints, where: Ints, size: int, rest: int) -> Ints:
    """(size,) with the values at their places and `rest` elsewhere."""
    whole = np.full(size, rest, dtype=np.int64)
    whole[where] = values
    return whole


def _special_tokens(backend: Any) -> tuple[list[int], list[int]]:
    """The ids that the tokenizer puts before and after a text."""
    probe = backend.encode("a", add_special_tokens=True)
    text = [i for i, special in enumerate(probe.special_tokens_mask) if not special]
    first, last = (text[0], text[-1]) if text else (len(probe.ids), len(probe.ids))
    return probe.ids[:first], probe.ids[last + 1 :]
