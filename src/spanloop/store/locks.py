"""One round at a time: the lock that a round holds, and the fence that keeps a superseded one from publishing.

The lock is `flock` on a file, which the operating system lets go when its holder dies, `kill -9` included. Each holder
gets the next number of the fence. Whoever publishes compares its number with the fence, in a critical section that the
next holder also passes: a zombie, whose lock went to another, finds a higher number and stops
(Kleppmann, "How to do distributed locking", 2016).
"""

import errno
import json
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from spanloop.durable import replace_file, told_as_store_errors
from spanloop.errors import RoundInProgress, StoreError

_numbers: dict[Path, int] = {}  # folder -> the last number on the fence that this process got


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
        lock = _lock(path)
        with told_as_store_errors("lock the store", path):
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                lock.acquire(blocking=False)
            except Timeout:
                raise RoundInProgress(_describe_holder(path)) from None
        try:
            with told_as_store_errors("lock the store", path):
                path.write_text(_describe_us(owner), encoding="utf-8")
                number = self._advance()
            # Both are kept when the lock is let go: a thread that a timeout left behind must not publish either.
            self._number = _numbers[self.folder] = number
            yield number
        finally:
            lock.release()

    def holder(self) -> str | None:
        """Who holds the store for a round at this moment, in words; None if nobody does."""
        path = self.folder / "round.lock"
        if not path.exists():
            return None
        lock = _lock(path)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return _holder(path)
        lock.release()
        return None

    def check_fence(self) -> None:
        """Refuse a fence that is corrupt.

        Raises:
            StoreError: It is.
        """
        self._latest()

    def mend_fence(self) -> None:
        """Give a corrupt fence a number that no holder can have had, by chance.

        Raises:
            RoundInProgress: A round holds the store.
        """
        path = self.folder / "round.lock"
        try:
            with _lock(path).acquire(blocking=False), self._critical():
                replace_file(self.folder / "fence", f"{secrets.randbits(48)}\n")
        except Timeout:
            raise RoundInProgress(_describe_holder(path)) from None

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
    def unchanging(self) -> Iterator[None]:
        """Pass the critical section without changing anything, so that nobody else does; for superseded rounds too.

        On a disk that can only be read nobody does anyway.
        """
        with ExitStack() as stack:
            try:
                stack.enter_context(self._critical())
            except OSError as error:
                if error.errno != errno.EROFS:
                    raise
            yield

    @contextmanager
    def _critical(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with _lock(self.folder / "publish.lock"):
            yield

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


def _lock(path: Path) -> FileLock:
    """A lock that any thread may let go of; never a file whose presence alone locks, which would outlive its holder."""
    return FileLock(path, thread_local=False, fallback_to_soft=False)


def _describe_us(owner: str) -> str:
    since = datetime.now(UTC).isoformat(timespec="seconds")
    return json.dumps({"owner": owner, "pid": os.getpid(), "host": socket.gethostname(), "since": since})


def _describe_holder(path: Path) -> str:
    return f"{_holder(path)} holds the store {path.parent.parent}; wait until it ends, or end that process"


def _holder(path: Path) -> str:
    try:
        holder = json.loads(path.read_text(encoding="utf-8"))
        return f"{holder['owner']!r} (process {holder['pid']} on {holder['host']}, since {holder['since']})"
    except (ValueError, KeyError, TypeError, OSError):
        return "another process"
