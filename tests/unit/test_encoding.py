"""Alignment of characters, words and subwords, over random Unicode and three kinds of tokenizers."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from texts import texts
from tiny_models import SENTENCES, TOKENIZERS, byte_level, wordpiece

from spanloop.errors import TrainingError
from spanloop.model.encoding import Encoded, Encoder
from spanloop.model.windows import plan_windows
from spanloop.words import split_words

ENCODERS = {name: Encoder(make(), max_length=16, stride=4) for name, make in TOKENIZERS.items()}
every_tokenizer = pytest.mark.parametrize("name", list(ENCODERS))


def words_of(encoded: Encoded, text: int) -> list[tuple[int, int]]:
    rows = slice(encoded.text_words[text], encoded.text_words[text + 1])
    return list(zip(encoded.word_start[rows].tolist(), encoded.word_stop[rows].tolist(), strict=True))


@every_tokenizer
@settings(max_examples=150, deadline=None)
@given(batch=st.lists(texts | st.sampled_from(SENTENCES), max_size=4))
def test_words_lie_on_the_splitters_words_and_each_owns_its_subwords(name: str, batch: list[str]) -> None:
    encoded = ENCODERS[name].encode(batch)
    for i, text in enumerate(batch):
        edges = split_words(text)
        starts, stops = {a for a, _ in edges}, {b for _, b in edges}
        words = words_of(encoded, i)
        assert all(a in starts and b in stops for a, b in words)
        assert all(left[1] <= right[0] for left, right in pairwise(words))
    n = len(encoded.word_start)
    assert np.all(encoded.subword_word[encoded.word_first] == np.arange(n))
    owned = encoded.subword_word[encoded.subword_word >= 0]
    assert np.all(np.diff(owned) >= 0)
    assert np.all(np.diff(encoded.word_first) > 0)
    owner = np.searchsorted(encoded.text_words, np.arange(n), side="right")
    assert np.all(owner == np.searchsorted(encoded.text_subwords, encoded.word_first, side="right"))


@every_tokenizer
@settings(max_examples=100, deadline=None)
@given(batch=st.lists(texts, max_size=4))
def test_a_text_is_encoded_the_same_whatever_stands_beside_it(name: str, batch: list[str]) -> None:
    together = ENCODERS[name].encode(batch)
    for i, text in enumerate(batch):
        alone = ENCODERS[name].encode([text])
        rows = slice(together.text_subwords[i], together.text_subwords[i + 1])
        assert together.subword_ids[rows].tolist() == alone.subword_ids.tolist()
        assert words_of(together, i) == words_of(alone, 0)


@pytest.mark.parametrize("name", ["byte_level", "unigram"])
@settings(max_examples=100, deadline=None)
@given(text=st.text(st.sampled_from("Ua.,)(' S3-$%"), max_size=30))
def test_every_visible_word_is_decided_on_its_own_where_the_vocabulary_can_spell_it(name: str, text: str) -> None:
    assert words_of(ENCODERS[name].encode([text]), 0) == split_words(text)


def test_a_subword_over_two_words_is_cut_between_them() -> None:
    encoder = Encoder(byte_level(), 32, 0)
    text = "In the U.S., it ended."
    assert ".," in encoder._backend.encode(text).tokens
    encoded = encoder.encode([text])
    assert [text[a:b] for a, b in words_of(encoded, 0)][2:7] == ["U", ".", "S", ".", ","]
    assert len(encoded.subword_ids) == len(encoder._backend.encode(text, add_special_tokens=False)) + 1


def test_zero_width_characters_give_no_word_to_decide() -> None:
    encoder = Encoder(wordpiece(), 32, 0)
    encoded = encoder.encode(["\u200b\u200b", "Ada\u200b Bo", "", "  "])
    assert np.diff(encoded.text_words).tolist() == [0, 2, 0, 0]
    assert encoded.windows.text.tolist() == [1]


def test_a_lone_surrogate_does_not_stop_a_batch() -> None:
    encoded = ENCODERS["wordpiece"].encode(["Ada \ud800 met Bo.", "Eve"])
    assert words_of(encoded, 0)[-2:] == [(10, 12), (12, 13)]


@settings(max_examples=200, deadline=None)
@given(sizes=st.lists(st.integers(0, 90), max_size=6), capacity=st.integers(2, 20), stride=st.integers(0, 30))
def test_cores_tile_every_text_and_lie_in_their_windows(sizes: list[int], capacity: int, stride: int) -> None:
    bounds = np.cumsum([0, *sizes])
    windows = plan_windows(bounds, capacity, stride)
    tiled = [np.arange(a, b) for a, b in zip(windows.core_start, windows.core_stop, strict=True)]
    assert np.concatenate([np.zeros(0, int), *tiled]).tolist() == list(range(bounds[-1]))
    assert np.all(windows.start <= windows.core_start)
    assert np.all(windows.core_stop <= windows.stop)
    assert np.all(windows.lengths <= capacity)
    assert np.all(bounds[windows.text] <= windows.start)
    assert np.all(windows.stop <= bounds[windows.text + 1])
    same = np.flatnonzero(np.diff(windows.text) == 0)
    overlaps = windows.stop[same] - windows.start[same + 1]
    assert np.all(overlaps >= min(stride, capacity // 2))


def test_a_slow_tokenizer_is_refused() -> None:
    with pytest.raises(TrainingError, match="no fast tokenizer"):
        Encoder(object(), 32, 0)


def test_a_window_without_room_for_text_is_refused() -> None:
    with pytest.raises(TrainingError, match="max_length 3 leaves no room"):
        Encoder(wordpiece(), 3, 0)
