"""SIGTERM as a wish: training ends after the step it is in, with a checkpoint."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType


class StopWish:
    """Whether the process was asked to end."""

    def __init__(self, then: Callable[[], object]) -> None:
        """Call `then` when asked."""
        self.asked = False
        self._then = then

    def ask(self, signum: int = 0, frame: FrameType | None = None) -> None:
        """Ask; fits `signal.signal`."""
        self.asked = True
        self._then()


@contextlib.contextmanager
def sigterm_asks(then: Callable[[], object] = lambda: None) -> Iterator[StopWish]:
    """While inside, SIGTERM sets the wish instead of ending the process; elsewhere than the main thread it does not.

    Args:
        then: Called when SIGTERM comes.

    Yields:
        The wish.
    """
    wish = StopWish(then)
    if threading.current_thread() is not threading.main_thread():
        yield wish
        return
    before = signal.signal(signal.SIGTERM, wish.ask)
    try:
        yield wish
    finally:
        signal.signal(signal.SIGTERM, before)
