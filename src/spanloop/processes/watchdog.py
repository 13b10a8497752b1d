"""Ends child processes when their parent is gone, however it went: `kill -9` leaves it no time to do so itself.

The parent holds the other end of a pipe. Each line in it is the number of a process to end with all that it started;
the end of the file is the sign that the parent is no more.
"""

import contextlib
import os
import subprocess
import sys
import threading

import psutil

from spanloop.processes.spawn import end_all


class Watchdog:
    """The parent's end of the pipe."""

    def __init__(self) -> None:
        """Start the process that holds the other end."""
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "spanloop.processes.watchdog"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    def hold(self, pid: int) -> None:
        """End this process too when we are gone."""
        with contextlib.suppress(OSError):
            assert self._process.stdin is not None
            print(pid, file=self._process.stdin, flush=True)

    def close(self) -> None:
        """Let go: whatever still lives of the processes is ended now."""
        with contextlib.suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        self._process.wait()


def end_with_stdin() -> None:
    """End this process at the end of its standard input, whose other end the parent holds; returns at once."""

    def wait() -> None:
        while os.read(0, 4096):
            pass
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def main() -> None:
    """Hold the other end of the pipe."""
    held: list[psutil.Process] = []
    for line in sys.stdin:
        with contextlib.suppress(psutil.Error, ValueError):
            held.append(psutil.Process(int(line)))
    # A number that is now another process is not ours; one that is free may still lead a session of orphans.
    end_all([p.pid for p in held if p.is_running() or not psutil.pid_exists(p.pid)])


if __name__ == "__main__":
    main()
