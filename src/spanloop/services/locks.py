"""A lock between processes that the operating system releases, however its holder ends."""

import contextlib
import fcntl
import time
from collections.abc import Iterator
from pathlib import Path

from spanloop.errors import ServiceError
from spanloop.services.files import writing


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
        file = path.open("a")
    deadline = time.monotonic() + patience
    with file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise ServiceError(taken) from None
                time.sleep(0.1)
        yield
