"""Writing files so that a power cut or `kill -9` leaves the old content or the new, never half of one."""

import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import BinaryIO

from spanloop.errors import StoreError

_OF_SQLITE = {"SQLITE_FULL": errno.ENOSPC, "SQLITE_IOERR": errno.EIO, "SQLITE_READONLY": errno.EROFS}


@contextmanager
def replacing(path: Path, mode: int = 0o666) -> Iterator[BinaryIO]:
    """Give a file for the new content of `path`, whose place it takes, synced, at the end of the block.

    Where the block fails, the old content stays and nothing is left beside it. One writer at a time may be at work.

    Args:
        path: The file, there or not; its folder exists.
        mode: Its permissions from the first moment on, less what the umask takes off.

    Yields:
        The file to write to.

    Raises:
        OSError: The disk is full or refuses.
    """
    beside = path.with_name(f".{path.name}.tmp")
    beside.unlink(missing_ok=True)  # what a crash left may have other permissions
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def replace_file(path: Path, content: str | Iterable[str], mode: int = 0o666) -> None:
    """Give a file new text, whole or in pieces; see `replacing`."""
    with replacing(path, mode) as file:
        file.writelines(piece.encode() for piece in ([content] if isinstance(content, str) else content))


def sync_folder(folder: Path) -> None:
    """Bring a folder's list of names to the disk; its files' content is not synced."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Bring a file's content to the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def hash_file(path: Path) -> str:
    """The sha256 of a file's content, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def files_below(folder: Path) -> list[Path]:
    """The regular files of a folder and its subfolders, sorted by their relative name."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def copy_files(source: Path, target: Path, *but: str) -> None:
    """Copy the regular files of a folder and its subfolders into another folder.

    Args:
        source: The folder.
        target: The other one, there or not.
        but: What is left out, with all below it: patterns of the first part of relative names.

    Raises:
        OSError: The disk is full or refuses; names the file, where `shutil.copytree` gathers what it met in a text.
    """
    for path in files_below(source):
        name = path.relative_to(source)
        if not any(fnmatch(name.parts[0], pattern) for pattern in but):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target / name)


def to_json(tree: object) -> str:
    """Write JSON for people: indented, in plain characters, ending in a newline."""
    return json.dumps(tree, ensure_ascii=False, indent=2) + "\n"


@contextmanager
def told_as_store_errors(what: str, path: Path) -> Iterator[None]:
    """Turn an operating system's refusal into one line that names the file and the way out.

    Args:
        what: What was tried, e.g. `publish snapshots/v0001-3fa9c1d2`.
        path: Where it was tried, named if the error names no file itself.

    Raises:
        StoreError: In place of any error of a disk; that of a network stays what it is.
    """
    try:
        yield
    except Exception as error:
        if (number := _errno_of(error)) is None:
            raise
        full = number in {errno.ENOSPC, errno.EDQUOT}
        way_out = "free some space and run again" if full else "check the disk and the folder's permissions"
        where = getattr(error, "filename", None) or path
        raise StoreError(f"cannot {what}: {os.strerror(number)} ({where}); {way_out}") from error


def _errno_of(error: Exception) -> int | None:
    """The number of a disk's error; None of any other.

    What writes in Rust (weights, tokenizers) has it in its text, SQLite has names of its own.
    """
    if isinstance(error, OSError):
        of_a_network = isinstance(error, (ConnectionError, TimeoutError)) or type(error).__module__ in ("socket", "ssl")
        return None if of_a_network else error.errno
    if (kind := getattr(error, "sqlite_errorname", "")) and (known := _OF_SQLITE.get("_".join(kind.split("_")[:2]))):
        return known
    found = re.search(r"\(os error (\d+)\)", str(error))
    return int(found[1]) if found else None
