"""Run a piece of a test in a process of its own, which may be killed."""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any


def in_child(work: Callable[[], Any]) -> int:
    """Fork, run `work` in the child, and give what `os.waitstatus_to_exitcode` gives: 0, 1 or minus a signal."""
    pid = start_child(work)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def start_child(work: Callable[[], Any]) -> int:
    """Fork and run `work` in the child; the caller waits for the process id that is returned."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    return pid


class KillPoints:
    """Counts the calls and returns of Python and C functions, and kills this process with SIGKILL at the n-th.

    Args:
        at: The event to die at; 0 only counts.
        modules: Only events in code of these modules count.
    """

    def __init__(self, at: int, modules: tuple[str, ...]) -> None:
        self.at, self.modules, self.seen = at, modules, 0

    def __enter__(self) -> "KillPoints":
        sys.setprofile(self._event)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _event(self, frame: Any, _event: str, _argument: object) -> None:
        if frame.f_globals.get("__name__") not in self.modules:
            return
        self.seen += 1
        if self.seen == self.at:
            os.kill(os.getpid(), signal.SIGKILL)
