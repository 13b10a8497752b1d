"""Offsets between code points and the annotation page, over texts that make them differ."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloop.argilla.offsets import PageOffsets, from_field, page_length, to_field

HARD = st.text(st.sampled_from([*"ab \r\n<>&;lt#x1/!", "\u0301", "\u2060", "\ufeff", "\U0001f600", "\U0001f3fd"]))
TEXTS = HARD | st.text()


def shown(text: str) -> str:
    """What the page makes of the line ends."""
    return text.replace("\r\n", "\n").replace("\0", "")


@given(TEXTS)
def test_a_text_is_stored_and_read_back_exactly(text: str) -> None:
    assert from_field(to_field(text)) == text


@given(TEXTS)
def test_the_server_has_room_for_every_offset_of_the_page(text: str) -> None:
    assert len(to_field(text)) >= page_length(text) == len(shown(text).encode("utf-16-le", "surrogatepass")) // 2


@given(TEXTS, st.data())
def test_marked_characters_come_back(text: str, data: st.DataObject) -> None:
    text = text.replace("\0", "")
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    offsets = PageOffsets(text)
    page = offsets.to_page(start, end)
    in_the_page = shown(text).encode("utf-16-le")[2 * page[0] : 2 * page[1]].decode("utf-16-le")
    back = offsets.from_page(*page)
    assert shown(text[slice(*back)]) == in_the_page
    if "\r\n" not in text:
        assert back == (start, end)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("Anna saw R&D, p <0.05", "Anna saw R&D, p <0.05"),
        ("an \U0001f600 at the end", "an \U0001f600 at the end\u2060"),
        ("<i>E. coli</i>", "&lt;i>E. coli&lt;/i>"),
        ("R&amp;D & more", "R&amp;amp;D &amp; more"),
        ("&copy 2026", "&amp;copy 2026"),
    ],
)
def test_only_what_the_page_would_change_is_stored_otherwise(text: str, field: str) -> None:
    assert to_field(text) == field


@pytest.mark.parametrize(
    ("text", "page", "points"),
    [
        ("\U0001f600 Rome", (3, 7), (2, 6)),
        ("\U0001f600 Rome", (1, 7), (0, 6)),  # a start within the emoji takes it in
        ("\U0001f600 Rome", (3, 99), (2, 6)),  # an end in the room behind the text
        ("a\r\nRome", (2, 6), (3, 7)),
        ("a\r\nRome", (0, 1), (0, 1)),
        ("Rome", (0, 4), (0, 4)),
    ],
)
def test_offsets_of_the_page(text: str, page: tuple[int, int], points: tuple[int, int]) -> None:
    assert PageOffsets(text).from_page(*page) == points
