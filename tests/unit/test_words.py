"""What a word is."""

import unicodedata

import pytest
from hypothesis import given
from texts import texts

from spanloop.words import is_invisible, split_words, words_to_tokens


def tokens(text: str) -> list[str]:
    return words_to_tokens(text, split_words(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \r\n\t", []),
        ("Paris.", ["Paris", "."]),
        ("Saint-Denis (93)", ["Saint", "-", "Denis", "(", "93", ")"]),
        ("don't U.S.", ["don", "'", "t", "U", ".", "S", "."]),
        ("snake_case", ["snake", "_", "case"]),
        ("one\r\ntwo\u2028three\u00a0four", ["one", "two", "three", "four"]),
        ("cafe\u0301s naïve", ["cafe\u0301s", "naïve"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("שָׁלוֹם עולם", ["שָׁלוֹם", "עולם"]),
        ("می\u200cخواهم", ["می\u200cخواهم"]),
        ("\u202bשלום\u202c!", ["שלום", "!"]),
        ("\ufeffParis\u200b \u200b", ["Paris"]),
        ("Par\u200bis co\u00adop", ["Par", "is", "co\u00adop"]),
        ("a\x00b", ["a", "b"]),
        ("東京タワー", ["東", "京", "タ", "ワ", "ー"]),
        ("서울에서", ["서", "울", "에", "서"]),
        ("\u1112\u1161\u11ab\u1100\u1173\u11af", ["\u1112\u1161\u11ab", "\u1100\u1173\u11af"]),
        ("ที่ไทย", ["ที่", "ไ", "ท", "ย"]),
        ("hi👩\u200d👩\u200d👧\u200d👦!", ["hi", "👩\u200d👩\u200d👧\u200d👦", "!"]),
        ("🇫🇷🇩🇪🇯", ["🇫🇷", "🇩🇪", "🇯"]),
        ("👍🏽❤\ufe0f1\ufe0f\u20e3", ["👍🏽", "❤\ufe0f", "1\ufe0f\u20e3"]),
        ("🏴\U000e0067\U000e0062\U000e007f😀😀", ["🏴\U000e0067\U000e0062\U000e007f", "😀", "😀"]),
        ("\u0301a", ["\u0301", "a"]),
        ("x² ½", ["x²", "½"]),
    ],
)
def test_words_of_known_texts(text: str, expected: list[str]) -> None:
    assert tokens(text) == expected


@given(texts)
def test_words_are_sorted_disjoint_and_hold_everything_visible(text: str) -> None:
    words = split_words(text)
    edges = [edge for word in words for edge in word]
    assert edges == sorted(edges)
    assert all(start < end for start, end in words)
    covered = {i for start, end in words for i in range(start, end)}
    for i, character in enumerate(text):
        if i in covered:
            assert not character.isspace()
            assert character != "\u200b"
        else:
            assert character.isspace() or unicodedata.category(character) in {"Cc", "Cf", "Zs", "Zl", "Zp"}


@given(texts)
def test_a_mark_stays_with_its_base(text: str) -> None:
    covered = {i for start, end in split_words(text) for i in range(start, end)}
    for start, _ in split_words(text):
        if unicodedata.category(text[start]).startswith("M"):
            assert start - 1 not in covered


@given(texts)
def test_a_word_alone_is_one_word(text: str) -> None:
    for token in tokens(text):
        assert split_words(token) == [(0, len(token))]


@given(texts, texts)
def test_words_do_not_depend_on_what_is_beyond_a_space(before: str, after: str) -> None:
    shift = len(before) + 1
    expected = split_words(before) + [(start + shift, end + shift) for start, end in split_words(after)]
    assert split_words(f"{before} {after}") == expected


@given(texts)
def test_ascii_is_split_alike_alone_and_among_other_characters(text: str) -> None:
    ascii_only = text.encode("ascii", "ignore").decode()
    assert split_words(ascii_only + " é")[:-1] == split_words(ascii_only)


@given(texts)
def test_invisible_characters_make_no_word(text: str) -> None:
    for character in text:
        if is_invisible(character):
            assert split_words(character) == []
