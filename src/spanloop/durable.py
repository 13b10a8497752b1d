"""Writing files so that a power cut or `kill -9` leaves the old content or the new, never half of one."""

import errno
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from spanloop.errors import StoreError


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
        StoreError: In place of any OSError.
    """
    try:
        yield
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        way_out = "free some space and run again" if full else "check the disk and the folder's permissions"
        reason = error.strerror or str(error)
        raise StoreError(f"cannot {what}: {reason} ({error.filename or path}); {way_out}") from error
