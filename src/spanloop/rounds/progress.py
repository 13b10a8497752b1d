"""Lines in the log while a long step works: how far it is, how fast, and how long it will take."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from spanloop.training import TrainProgress

T = TypeVar("T")

SECONDS_BETWEEN_LINES = 10.0
_TOO_EARLY = 50  # before this part of the records is done nothing is said about the rest

log = logging.getLogger(__name__)


class Pace:
    """Says when the next line is due, the first after a full interval."""

    def __init__(self, seconds: float = SECONDS_BETWEEN_LINES) -> None:
        """Start the clock."""
        self._seconds = seconds
        self.started = self._last = time.monotonic()

    def is_due(self) -> bool:
        """Whether the interval is over; if so, the next one begins."""
        now = time.monotonic()
        if now - self._last < self._seconds:
            return False
        self._last = now
        return True


def log_training(progress: "Callable[[TrainProgress], None] | None") -> "Callable[[TrainProgress], None]":
    """Log a training's progress now and then, and pass it on.

    Args:
        progress: Told of every step; None: nobody.
    """
    pace = Pace()

    def report(now: "TrainProgress") -> None:
        if pace.is_due():
            log.info(
                "train: step %d of %d, loss %.3f, %s tokens/s, %.0f s left",
                *(now.step, now.max_steps, now.loss, f"{now.tokens_per_second:,.0f}", now.seconds_left),
            )
        if progress:
            progress(now)

    return report


def _pace(done: int, total: int, seconds: float) -> str:
    """How fast and how long still; nothing at the beginning, when a whole chunk was worked on and one record came."""
    if done < total / _TOO_EARLY:
        return ""
    return f", {done / seconds:.0f} records/s, {(total - done) * seconds / done:.0f} s left"


def log_scoring(progress: Callable[[int, int], None] | None, name: str = "score") -> Callable[[int, int], None]:
    """Log a pass's progress now and then, and pass it on.

    Args:
        progress: Told the records done and all records, after each; None: nobody.
        name: What is done with the records.
    """
    pace = Pace()

    def report(done: int, total: int) -> None:
        if pace.is_due():
            log.info("%s: %d of %d records%s", name, done, total, _pace(done, total, time.monotonic() - pace.started))
        if progress:
            progress(done, total)

    return report


def counted(items: Iterable[T], total: int, progress: Callable[[int, int], None]) -> Iterator[T]:
    """Items as they come; after each, `progress` is told the items done and all items."""
    for done, item in enumerate(items, start=1):
        yield item
        progress(done, total)
