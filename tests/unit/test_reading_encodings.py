"""Text of any encoding is read right and told, or refused with the encodings that it may have."""

import codecs
import contextlib
from pathlib import Path

import pytest

from spanloop.config import LoopConfig
from spanloop.errors import DataError
from spanloop.importing import open_source, parse_records

RUSSIAN = "Все люди рождаются свободными и равными в своем достоинстве и правах"


def texts(path: Path, encoding: str = "") -> list[str]:
    return [record.text for record in parse_records(open_source(str(path), encoding=encoding), LoopConfig())]


def csv(folder: Path, content: bytes) -> Path:
    path = folder / "x.csv"
    path.write_bytes(content)
    return path


def test_windows_1252_is_offered_and_read_when_it_is_named(tmp_path: Path) -> None:
    path = csv(tmp_path, b"id,text\n1,\x93Caf\xe9\x94 \x96 5 \x80\n")
    with pytest.raises(
        DataError, match=r"x\.csv, line 2: byte 3 \(0x93\) is not UTF-8; .* --encoding cp1252 or"
    ) as caught:
        texts(path)
    assert "\n" not in str(caught.value)
    assert "latin" not in str(caught.value)
    assert texts(path, "cp1252") == ["“Café” – 5 €"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_a_byte_order_mark_says_it(encoding: str, tmp_path: Path) -> None:
    mark = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}.get(encoding, b"")
    path = csv(tmp_path, mark + "id,text\r\n1,“Café” 😀 ਊ\r\n".encode(encoding))
    assert texts(path) == ["“Café” 😀 ਊ"]
    assert len(open_source(str(path)).notes) == (encoding != "utf-8-sig")


@pytest.mark.parametrize("encoding", ["cp1251", "koi8_r", "utf-16-le"])
def test_what_is_certain_is_read_and_told(encoding: str, tmp_path: Path) -> None:
    path = csv(tmp_path, f"id,text\n1,{RUSSIAN}\n".encode(encoding))
    assert texts(path) == [RUSSIAN]
    (note,) = open_source(str(path)).notes
    assert f"is not UTF-8 and is read as {encoding.replace('-', '_')}" in note


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_its_mark(encoding: str, tmp_path: Path) -> None:
    path = csv(tmp_path, "id,text\n1,“Zoë” left 😀\n".encode(encoding))
    assert texts(path) == ["“Zoë” left 😀"]
    assert "is read as utf_16" in open_source(str(path)).notes[0]


@pytest.mark.parametrize("encoding", ["cp1252", "mac_roman", "cp850", "iso8859_15", "cp1257", "iso8859_2", "cp932"])
@pytest.mark.parametrize("times", [1, 40])
def test_what_is_not_certain_is_never_read_wrong(encoding: str, times: int, tmp_path: Path) -> None:
    text = {
        "cp932": "すべての人間は、生まれながらにして自由であり、",
        "cp1257": "Visi cilvēki piedzimst brīvi un vienlīdzīgi savā pašcieņā",
        "iso8859_2": "wszyscy ludzie rodzą się wolni i równi",
    }
    wanted = text.get(encoding, "Le président a déclaré à l'Élysée: bientôt ça ira là où Zoë était")
    path = csv(tmp_path, b"id,text\n" + b"".join(f"{n},{wanted}\n".encode(encoding) for n in range(times)))
    with contextlib.suppress(DataError):
        assert texts(path) == [wanted] * times
    assert texts(path, encoding) == [wanted] * times


@pytest.mark.parametrize(
    ("content", "encoding", "message"),
    [
        (b"id,text\n1,caf\xe9\n", "utf-8", r"line 2: byte 6 \(0xe9\) is not UTF-8; name another one with --encoding"),
        (b"id,text\n1,caf\xe9\n", "ascii", r"line 2: byte 6 \(0xe9\) is not ASCII; name another one"),
        (b"id,text\n1,a\n", "latin7000", r"there is no encoding 'latin7000' of text; --encoding is e\.g\. utf-8"),
        (b"id,text\n1,a\n", "base64", r"there is no encoding 'base64' of text"),
        (b"\xef\xbb\xbfid,text\n1,caf\xe9\n", "", r"line 2: byte 6 \(0xe9\) is not UTF-8; its byte order mark says so"),
        (b"\xff\xfei\0d\0,", "", r"near byte \d+: a character is not UTF-16; its byte order mark"),
    ],
)
def test_what_is_not_of_the_encoding_is_one_line(content: bytes, encoding: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message) as caught:
        texts(csv(tmp_path, content), encoding)
    assert "\n" not in str(caught.value)


def test_one_bad_byte_in_a_file_of_utf_8_is_told_by_its_line(tmp_path: Path) -> None:
    lines = [f"{n},Zoë und Jürgen\n".encode() for n in range(50)]
    lines[30] = b"30,caf\xe9\n"
    with pytest.raises(DataError, match=r"x\.csv, line 32: byte 7 \(0xe9\) is not UTF-8"):
        texts(csv(tmp_path, b"id,text\n" + b"".join(lines)))
