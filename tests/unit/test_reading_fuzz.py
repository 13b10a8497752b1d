"""Damaged files of every format: right records, or one line that names the file; never a traceback, never fewer."""

import os
import random
from pathlib import Path

import pytest
from format_samples import SAMPLES

from spanloop.config import LoopConfig
from spanloop.errors import SpanloopError
from spanloop.importing import READERS, open_source, parse_records
from spanloop.importing.upload import check

MUTATIONS = int(os.environ.get("SPANLOOP_MUTATIONS", "1000"))  # a format, in the long test
CONFIG = LoopConfig.model_validate({"task": {"labels": ["person", "place"]}})
BITS = [b"\0", b"\xff", b"\xe9", b'"', b"\t", b"\n", b"\r", b",", b"[", b"]", b"{", b" ", b"-1", b"99", b"null", b"O"]
BITS += [b"B-", b"I-place", b"\xef\xbb\xbf", b"\xff\xfe", b"\xed\xa0\x80", b"1e999", b"NaN", b"#", b"-DOCSTART-", b"''"]
BITS += [text.encode() for text in ("😀", "\u2028", "\u00a0", "\u0301", "İ", "\u200b")]
TWICE = "texts left out, they stand in the file already"


def cut(content: bytes, rng: random.Random) -> tuple[bytes, bytes, bytes]:
    """What stands before, in and after a piece of up to twelve bytes."""
    at = rng.randrange(len(content) + 1)
    to = at + rng.randrange(13)
    return content[:at], content[at:to], content[to:]


def pieces(content: bytes, rng: random.Random) -> bytes:
    before, piece, after = cut(content, rng)
    return before + rng.choice([b"", piece * 2, piece + rng.choice(BITS), rng.choice(BITS), rng.randbytes(1)]) + after


def truncated(content: bytes, rng: random.Random) -> bytes:
    return cut(content, rng)[0]


def lines(content: bytes, rng: random.Random) -> bytes:
    found = content.splitlines(keepends=True) or [b""]
    at = rng.randrange(len(found))
    return b"".join(rng.choice([found[:at] + found[at + 1 :], [*found, found[at]], [found[at], *found]]))


def line_ends(content: bytes, rng: random.Random) -> bytes:
    return content.replace(b"\n", rng.choice([b"\r\n", b"\r", b"\n\n", b" \n", b"\t\n"]))


def encoded(content: bytes, rng: random.Random) -> bytes:
    return content.decode(errors="replace").encode(
        rng.choice(["utf-16", "utf-16-le", "cp1252", "utf-8-sig"]), "replace"
    )


def mutated(content: bytes, rng: random.Random) -> bytes:
    """One to four changes such as editors, spreadsheets, cut connections and scripts make."""
    for _ in range(rng.randint(1, 4)):
        change = rng.choice([pieces, pieces, pieces, pieces, truncated, lines, lines, line_ends, encoded])
        content = change(content, rng)
    return content


def outcome(path: Path, name: str) -> str:
    """`read` or `refused`, everything checked that a user relies on."""
    try:
        table = open_source(str(path), name)
        found = check(table, CONFIG, "responses")
    except SpanloopError as error:
        told = str(error)
        assert "\n" not in told
        assert path.name in told
        assert len(told) < 800
        return "refused"
    records = list(parse_records(table, CONFIG, annotated=True))
    assert len(records) == found.records == len({record.id for record in records})
    assert sum(record.spans is not None for record in records) == found.annotated
    assert sum(1 for _ in table.rows()) == found.records + found.remarks.counts[TWICE]
    for record in records:
        assert record.text.strip()
        assert record.text.encode().decode() == record.text
        assert path.name in record.where
        before = 0
        for span in record.spans or ():
            assert before <= span.start < span.end <= len(record.text)
            assert record.text[span.start : span.end].strip()
            before = span.end
    return "read"


def written(name: str, folder: Path) -> Path:
    """The sample of a format, and the file in it that is to be damaged."""
    reader, content = READERS[name], SAMPLES[name]
    endings = reader.endings or (READERS[reader.within].endings if reader.within else ())
    path = folder / f"sample{next(iter(endings), '')}"
    if isinstance(content, str):
        path.write_text(content, encoding="utf-8")
    else:
        content(path)
    return path


def damage(name: str, folder: Path, count: int) -> set[str]:
    """Damage one file of the sample after the other, and look what becomes of it."""
    path = written(name, folder)
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    whole = [file.read_bytes() for file in files]
    results = set()
    for number in range(count):
        rng = random.Random(f"{name} {number}")
        at = rng.randrange(len(files))
        files[at].write_bytes(mutated(whole[at], rng))
        try:
            results.add(outcome(path, name))
        except BaseException as error:
            error.add_note(f"{name}, mutation {number}: {files[at].read_bytes()[:3000]!r}")
            raise
        files[at].write_bytes(whole[at])
    return results


FORMATS = sorted(set(READERS) - {"hub"})  # whose files are those of a library


@pytest.mark.parametrize("name", FORMATS)
def test_a_damaged_file(name: str, tmp_path: Path) -> None:
    assert damage(name, tmp_path, 15) <= {"read", "refused"}


@pytest.mark.long
@pytest.mark.skipif(os.environ.get("SPANLOOP_LONG") != "1", reason="SPANLOOP_LONG=1 runs it")
@pytest.mark.parametrize("name", FORMATS)
def test_thousands_of_damaged_files(name: str, tmp_path: Path) -> None:
    assert damage(name, tmp_path, MUTATIONS) == {"read", "refused"}
