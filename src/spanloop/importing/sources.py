"""From a path or a name to the reader for it."""

import atexit
import gzip
import shutil
import stat
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from spanloop.config import ColumnsConfig
from spanloop.errors import DataError
from spanloop.importing.formats import READERS
from spanloop.importing.readers import Reader, Source, Table

_COMPRESSED = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "a ZIP archive or a spreadsheet",
    b"BZh": "compressed by bzip2",
    b"\xfd7zXZ": "compressed by xz",
    b"\x28\xb5\x2f\xfd": "compressed by zstd",
    b"\xd0\xcf\x11\xe0": "a spreadsheet or document of Microsoft Office",
}


def open_source(
    name: str,
    kind: str = "",
    *,
    split: str = "train",
    subset: str = "",
    encoding: str = "",
    delimiter: str = "",
    columns: ColumnsConfig | None = None,
) -> Table:
    """Open a file, a pipe, a folder of a dataset, or a dataset of the Hub.

    Args:
        name: A path, `-` for the standard input, or the id of a dataset.
        kind: The format; empty: it is recognised, by the ending first.
        split: Which split of a dataset to read.
        subset: Which configuration of a dataset to read.
        encoding: How its text is encoded; empty: it is found out.
        delimiter: What stands between the columns of a CSV file; empty: what its first line says.
        columns: The columns that the user named.

    Raises:
        DataError: There is no such source, or its format is unknown.
    """
    if kind and kind not in READERS:
        raise DataError(f"there is no format {kind!r}; --format is one of {', '.join(READERS)}")
    path = "/dev/stdin" if name == "-" else name
    source = _kept(Source(path, split, subset, encoding, delimiter, columns or ColumnsConfig()))
    reader = READERS[kind] if kind else _recognised(source)
    if not _exists(source) and (reader is None or reader.only_paths):
        raise DataError(f"{source.name} does not exist; give a file, a folder of a dataset, or a dataset id of the Hub")
    if reader is None:
        known = ", ".join(READERS)
        raise DataError(f"{source.name}: the ending does not say what it is; add --format with one of {known}")
    return _special(reader, source).open(source)


def _exists(source: Source) -> bool:
    try:
        return source.path.exists()
    except (OSError, ValueError) as error:
        raise DataError(f"{source.name[:200]!r} is no path ({error}); give a file or a dataset id of the Hub") from None


def _kept(source: Source) -> Source:
    """The source itself where it can be read again; a copy of a pipe, of a terminal, or of what gzip compressed."""
    if not _exists(source) or source.path.is_dir():
        return source
    if _is_stream(source.path):
        source = _copied(source, Path.open)
    found = _compression(source)
    if found and found != "gzip":
        raise DataError(f"{source.name} is {found}, no file of texts; unpack it, or save it as CSV, first")
    return _copied(source, gzip.open) if found else source


def _copied(source: Source, opened: Callable[[Path, str], Any]) -> Source:
    try:
        with opened(source.path, "rb") as stream, tempfile.NamedTemporaryFile("wb", delete=False) as copy:
            kept = Path(copy.name)
            atexit.register(kept.unlink, missing_ok=True)
            shutil.copyfileobj(stream, copy)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{source.name} cannot be unpacked ({error}); it is damaged, get it again") from None
    except OSError as error:
        reason = error.strerror or error
        raise DataError(
            f"{source.name} cannot be copied to {tempfile.gettempdir()} ({reason}); save it to a file first"
        ) from None
    return replace(source, copy=kept)


def _compression(source: Source) -> str:
    """What compressed a file, by how it begins; nothing where nothing did, or where it cannot be read."""
    try:
        with source.path.open("rb") as file:
            start = file.read(6)
    except OSError:
        return ""  # told when it is read
    return next((kind for begin, kind in _COMPRESSED.items() if start.startswith(begin)), "")


def _is_stream(path: Path) -> bool:
    mode = path.stat().st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) or stat.S_ISSOCK(mode)


def _recognised(source: Source) -> Reader | None:
    """The reader of the ending, or the first that recognises the source."""
    ending = "" if source.path.is_dir() else Path(source.name.lower().removesuffix(".gz")).suffix
    general = [reader for reader in READERS.values() if not reader.within]
    by_ending = (reader for reader in general if ending in reader.endings)
    return next(by_ending, None) or next((reader for reader in general if reader.recognises(source)), None)


def _special(reader: Reader, source: Source) -> Reader:
    """The reader within a general one that knows the source better: what stands in it counts, not what it is called."""
    if not _exists(source):
        return reader
    within = (other for other in READERS.values() if other.within == reader.name and other.recognises(source))
    return next(within, reader)
