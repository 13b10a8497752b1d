"""The encoding of a text file: named, said by its byte order mark, UTF-8, or found out where that is certain."""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from spanloop.errors import DataError

_BLOCK = 1 << 20
_SAMPLE = 1 << 18  # bytes that are looked at to find an encoding out
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark is its beginning
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What people's files are in; of encodings that say the same, the first is named. Others are offered, never chosen.
_COMMON = ["cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "koi8_r", "gb18030", "big5"]
_COMMON += ["cp932", "euc_jp", "cp949", "cp874", "iso8859_2", "iso8859_15", "utf_16_le", "utf_16_be"]
_CONTROLS = re.compile(rb"[\x80-\x9f]")
_MOSTLY_ZERO = 0.6
_LIKELY, _BETTER, _AS_CLEAN = 0.3, 0.2, 0.1  # coherence of the first, its lead over the others; or their mess


def find_charset(path: Path, name: str, wanted: str = "") -> tuple[str, str]:
    """The encoding of a file, all of which can be decoded with it.

    Args:
        path: The file.
        name: What messages call it.
        wanted: The encoding that the user named.

    Returns:
        Python's name of the encoding, and a line that tells of it; empty where it is UTF-8 or was named.

    Raises:
        DataError: The file is not of the encoding that was named or that its mark says, or its encoding is not certain.
        OSError: The file cannot be read.
    """
    if wanted:
        named = _known(wanted)
        _demand(path, name, named, f"name another one with --encoding, or correct the file; it was named {wanted}")
        if named == "iso8859-1" and any(_CONTROLS.search(block) for block in _blocks(path)):
            raise DataError(f"{name} holds bytes 0x80-0x9f, control characters in {wanted}; try --encoding cp1252")
        return named, ""
    with path.open("rb") as file:
        start = file.read(_BLOCK)
    marked = next((encoding for mark, encoding in _MARKS if start.startswith(mark)), "")
    if marked:
        _demand(path, name, marked, "its byte order mark says so; the file is damaged, write it again")
        return marked, "" if marked == "utf-8-sig" else f"{name} is read as {marked.upper()}"
    fault = _fault(path, "utf-8")
    if not fault and b"\0" not in start:
        return "utf-8", ""
    matches = _matches(path)
    found = _of_two_bytes(start) or _certain(matches)
    if found and not _fault(path, found) and (fault or _has_blanks(start, found)):
        return found, f"{name} is not UTF-8 and is read as {found}; where that is wrong name it with --encoding"
    if not fault:
        return "utf-8", ""  # a stray U+0000: the record that holds it is told
    raise _uncertain(path, name, fault, matches)


def _known(wanted: str) -> str:
    try:
        found = codecs.lookup(wanted)
        "".encode(found.name)  # codecs such as base64 are none of text
    except (LookupError, ValueError):
        raise DataError(f"there is no encoding {wanted!r} of text; --encoding is e.g. utf-8, utf-16, cp1252") from None
    return "utf-8-sig" if found.name == "utf-8" else found.name


def _demand(path: Path, name: str, encoding: str, advice: str) -> None:
    if fault := _fault(path, encoding):
        raise DataError(f"{name}, {fault} is not {encoding.removesuffix('-sig').upper()}; {advice}")


def _fault(path: Path, encoding: str) -> str:
    """The place of the first byte that the encoding does not know, or nothing."""
    decoder = codecs.getincrementaldecoder(encoding)()
    done = 0
    try:
        for block in _blocks(path):
            decoder.decode(block, final=not block)
            done += len(block)
    except UnicodeError as error:
        return _line_of_fault(path, encoding) or f"near byte {done + getattr(error, 'start', 0) + 1}: a character"
    return ""


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block
    yield b""


def _line_of_fault(path: Path, encoding: str) -> str:
    if encoding.replace("-", "_").startswith(("utf_16", "utf_32")):
        return ""  # their lines do not end at a byte
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode(encoding)
            except UnicodeDecodeError as error:
                return f"line {number}: byte {error.start + 1} (0x{line[error.start]:02x})"
    return ""


def _of_two_bytes(start: bytes) -> str:
    """UTF-16 without its mark, of letters most of which are ASCII: every second byte is zero."""
    half = len(start) // 2 * _MOSTLY_ZERO
    first, second = start[::2].count(0), start[1::2].count(0)
    return "utf_16_le" if second > half and not first else "utf_16_be" if first > half and not second else ""


def _has_blanks(start: bytes, encoding: str) -> bool:
    """Whether the encoding leaves most blanks and line ends of a file what they are, as its own does."""
    text = start.decode(encoding, "ignore")
    return all(3 * text.count(blank) >= 2 * start.count(blank.encode()) for blank in (" ", "\n"))


def _matches(path: Path) -> list[Any]:
    """What charset-normalizer thinks of the part of the file that is not ASCII, best first."""
    from charset_normalizer import from_bytes

    sample = _sample(path)
    return list(from_bytes(sample, steps=10, chunk_size=max(len(sample) // 10, 512)))


def _sample(path: Path) -> bytes:
    sample = bytearray()
    with path.open("rb") as file:
        for line in file:
            if not line.isascii() or b"\0" in line:
                sample += line[:_SAMPLE]
            if len(sample) >= _SAMPLE:
                break
    return bytes(sample)


def _names(match: Any) -> list[str]:
    """The encodings that say the same as a match, the widespread ones first."""
    names = [match.encoding, *match.could_be_from_charset]
    return sorted(dict.fromkeys(names), key=lambda name: _COMMON.index(name) if name in _COMMON else len(_COMMON))


def _certain(matches: list[Any]) -> str:
    """The encoding, where one is likely and no other comes near it."""
    if not matches:
        return ""
    best, *others = matches
    near = [x for x in others if x.coherence > best.coherence - _BETTER and x.chaos < best.chaos + _AS_CLEAN]
    found = _names(best)[0]
    wide = found.startswith("utf_")  # bytes that are UTF-16 are hardly anything else
    return found if found in _COMMON and not near and (wide or best.coherence >= _LIKELY) else ""


def _uncertain(path: Path, name: str, fault: str, matches: list[Any]) -> DataError:
    names = [found[0] for match in matches if (found := _names(match))]
    western = ["cp1252"] if not _fault(path, "cp1252") and names[:1] != ["utf_16_le"] else []
    common = [candidate for candidate in names if candidate in _COMMON]
    candidates = list(dict.fromkeys([*western, *(common or names)]))[:4]
    what = f"{name}, {fault} is not UTF-8" if fault else f"{name} holds U+0000 as UTF-16 without its mark does"
    if not candidates:
        return DataError(f"{what}, nor text of any encoding known here; is it the right file, or damaged?")
    shown = " or ".join(f"--encoding {candidate}" for candidate in candidates)
    return DataError(f"{what}; name its encoding, e.g. {shown}, and look whether its texts are right")
