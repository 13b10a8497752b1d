"""Files and folders of the services."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from spanloop.errors import ServiceError


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn whatever goes wrong while writing to `path`, or below it, into one line.

    Raises:
        ServiceError: No permission, no space, no folder, ….
    """
    try:
        yield
    except OSError as error:
        where = error.filename or path
        raise ServiceError(
            f"{where} cannot be written: {error.strerror}; SPANLOOP_HOME chooses another place"
        ) from None


@contextlib.contextmanager
def file_lock(path: Path, *, patience: float, taken: str) -> Iterator[None]:
    """Hold an exclusive lock on `path` for the length of a `with` block.

    Args:
        path: The lock file; created with its folder, and never removed.
        patience: Seconds to wait for another holder.
        taken: The error's message where that was not enough.

    Raises:
        ServiceError: Somebody else holds the lock, or the file cannot be written.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            held = FileLock(path, fallback_to_soft=False).acquire(patience)
        except Timeout:
            raise ServiceError(taken) from None
    with held:
        yield


def last_line(log: Path) -> str:
    """The last line of a log that says something, shortened."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    return next((x.strip()[:300] for x in reversed(lines) if x.strip()), "no output")
