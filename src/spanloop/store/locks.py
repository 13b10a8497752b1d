"""One round at a time: the lock that a round holds, and the fence that keeps a superseded one from publishing.

The lock is `flock` on a file, which the operating system lets go when its holder dies, `kill -9` included. Each holder
gets the next number of the fence. Whoever publishes compares its number with the fence, in a critical section that the
next holder also passes: a zombie, whose lock went to another, finds a higher number and stops
(Kleppmann, "How to do distributed locking", 2016).
"""

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from spanloop.errors import RoundInProgress, StoreError
from spanloop.store.durable import replace_file, told_as_store_errors

_numbers: dict[Path, int] = {}  # folder -> the last number on the fence that this process got
_descriptors: set[int] = set()


class Locks:
    """The lock and the fence of one store.

    Args:
        folder: Where their files lie; created when first needed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self._number: int | None = None

    @contextmanager
    def round(self, owner: str) -> Iterator[int]:
        """Hold the store for one round.

        Args:
            owner: Who takes it, shown to those who find it held.

        Yields:
            The number of this holder on the fence.

        Raises:
            RoundInProgress: Another process, or another thread of this one, holds it.
        """
        path = self.folder / "round.lock"
        with told_as_store_errors("lock the store", path):
            self.folder.mkdir(parents=True, exist_ok=True)
            descriptor = _try_lock(path)
            if descriptor is None:
                raise RoundInProgress(_describe_holder(path))
        try:
            with told_as_store_errors("lock the store", path):
                _write_holder(descriptor, owner)
                number = self._advance()
            # Both are kept when the lock is let go: a thread that a timeout left behind must not publish either.
            self._number = _numbers[self.folder] = number
            yield number
        finally:
            _release(descriptor)

    @contextmanager
    def publishing(self) -> Iterator[None]:
        """Pass the critical section of every change that readers see.

        Raises:
            StoreError: This process held the store for a round, and another holder came after it.
        """
        with self._critical():
            mine, latest = self._number or _numbers.get(self.folder), self._latest()
            if mine is not None and mine != latest:
                raise StoreError(
                    f"this round (holder {mine} of {self.folder.parent}) was superseded by holder {latest} and "
                    "publishes nothing; start a new round"
                )
            yield

    @contextmanager
    def _critical(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.folder / "publish.lock", os.O_RDWR | os.O_CREAT, 0o644)
        _descriptors.add(descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            _release(descriptor)

    def _advance(self) -> int:
        with self._critical():
            number = self._latest() + 1
            replace_file(self.folder / "fence", f"{number}\n")
        return number

    def _latest(self) -> int:
        path = self.folder / "fence"
        try:
            return int(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return 0
        except ValueError:
            raise StoreError(f"{path} is corrupt; when no round is running, delete it") from None


def _try_lock(path: Path) -> int | None:
    """Lock a file without waiting: its descriptor, or None where another holds it."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        if path.exists() and path.stat().st_ino == os.fstat(descriptor).st_ino:
            _descriptors.add(descriptor)
            return descriptor
        os.close(descriptor)  # somebody removed the file between our opening and locking it


def _release(descriptor: int) -> None:
    """Unlock, which closing alone does not do while a forked child has the descriptor too."""
    _descriptors.discard(descriptor)
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def _write_holder(descriptor: int, owner: str) -> None:
    since = datetime.now(UTC).isoformat(timespec="seconds")
    holder = {"owner": owner, "pid": os.getpid(), "host": socket.gethostname(), "since": since}
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(holder).encode(), 0)


def _describe_holder(path: Path) -> str:
    try:
        holder = json.loads(path.read_text(encoding="utf-8"))
        who = f"{holder['owner']!r} (process {holder['pid']} on {holder['host']}, since {holder['since']})"
    except (ValueError, KeyError, TypeError, OSError):
        who = "another process"
    return f"{who} holds the store {path.parent.parent}; wait until it ends, or end that process"


def _leave_locks_to_the_parent() -> None:
    """A forked child must not keep a lock alive that its parent, killed, lets go."""
    for descriptor in _descriptors:
        os.close(descriptor)
    _descriptors.clear()


os.register_at_fork(after_in_child=_leave_locks_to_the_parent)
