"""A few services that live and die together: started one by one, each waited for, watched, ended in reverse."""

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from spanloop.errors import ServiceError
from spanloop.processes.files import last_line
from spanloop.processes.spawn import end_all, shorten, spawn
from spanloop.processes.watchdog import Watchdog

Probe = Callable[[], bool]
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Child:
    """A service's process.

    Attributes:
        name: What messages call it.
        process: The process.
        log: Where its output goes.
    """

    name: str
    process: "subprocess.Popen[bytes]"
    log: Path

    def require_alive(self) -> None:
        """Check that it still runs.

        Raises:
            ServiceError: It ended; the message has its last line.
        """
        if (code := self.process.poll()) is not None:
            how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
            raise ServiceError(f"{self.name} {how}: {last_line(self.log)}; its log is {self.log}")


class Supervisor:
    """The services of one command; use it as a context manager, which ends what it started."""

    def __init__(self) -> None:
        """Start with no services."""
        self.asked_to_stop = threading.Event()
        self._children: list[Child] = []
        self._logs: set[Path] = set()
        self._handlers: dict[int, object] = {}

    def __enter__(self) -> Self:
        """Take the signals that ask to stop: from now on they set `asked_to_stop`; under nohup SIGHUP stays ignored."""
        self._watchdog = Watchdog()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number == signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
                continue
            self._handlers[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End every service, the last one started first; a second Ctrl-C does not wait for them."""
        try:
            while self._children:
                self.end_last()
        finally:
            self._watchdog.close()
            for number, handler in self._handlers.items():
                signal.signal(number, handler)  # type: ignore[arg-type]

    def start(self, name: str, command: Sequence[str], *, environ: Mapping[str, str], log: Path, cwd: Path) -> Child:
        """Start a service; it is not waited for.

        Args:
            name: What messages call it.
            command: Program and arguments.
            environ: Its whole environment.
            log: Where its output goes.
            cwd: Its working folder.
        """
        child = Child(name, spawn(command, log=log, environ=environ, cwd=cwd), log)
        self._children.append(child)
        self.hold(child.process.pid, log)
        return child

    def end_last(self) -> None:
        """End the service that was started last, if there is one."""
        if not self._children:
            return
        child = self._children.pop()
        end_all([child.process.pid])
        child.process.wait(5)

    def hold(self, pid: int, log: Path) -> None:
        """End a process, wherever it was started, if this one is killed; and keep its log short."""
        self._watchdog.hold(pid)
        self._logs.add(log)

    def wait(self, child: Child, healthy: Probe, patience: float = 180.0) -> None:
        """Wait until a service is healthy.

        Raises:
            ServiceError: It, or another service, ended; or it took too long.
            Stopped: Somebody asked to stop meanwhile.
        """
        self.until(healthy, patience, f"{child.name} is not ready after {patience:.0f} s; its log is {child.log}")

    def until(self, true: Probe, patience: float, late: str) -> None:
        """Wait for something.

        Args:
            true: Asked again and again.
            patience: Seconds to wait.
            late: The error's message where that was not enough.

        Raises:
            ServiceError: A service ended, or it took too long.
            Stopped: Somebody asked to stop meanwhile.
        """
        deadline = time.monotonic() + patience
        while not true():
            self.check()
            if time.monotonic() > deadline:
                raise ServiceError(late)
            self.asked_to_stop.wait(0.3)

    def finish(self, child: Child, patience: float = 180.0) -> None:
        """Wait until a process that is to end has done so.

        Raises:
            ServiceError: It failed or took too long.
            Stopped: Somebody asked to stop meanwhile.
        """
        self._children.remove(child)  # its end is no failure
        deadline = time.monotonic() + patience
        try:
            while child.process.poll() is None:
                self.check()
                if time.monotonic() > deadline:
                    raise ServiceError(f"{child.name} did not end in {patience:.0f} s; its log is {child.log}")
                self.asked_to_stop.wait(0.2)
        finally:
            if child.process.poll() is None:
                end_all([child.process.pid], patience=2)
        if child.process.returncode:
            child.require_alive()

    def check(self) -> None:
        """Look at every service once.

        Raises:
            ServiceError: One ended.
            Stopped: Somebody asked to stop.
        """
        if self.asked_to_stop.is_set():
            raise Stopped
        self._require_all_alive()

    def watch(self, every: float, *looks: Callable[[], None]) -> None:
        """Watch the services until somebody asks to stop.

        Args:
            every: Seconds between two looks.
            looks: Called at each of them.

        Raises:
            ServiceError: A service ended.
        """
        while not self.asked_to_stop.wait(every):
            self._require_all_alive()
            for log in self._logs:
                shorten(log)
            for look in looks:
                look()

    def _require_all_alive(self) -> None:
        for child in self._children:
            child.require_alive()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.asked_to_stop.is_set():  # asked twice: do not wait for the rest
            for child in self._children:
                end_all([child.process.pid], patience=0)
        self.asked_to_stop.set()


class Stopped(Exception):
    """Somebody asked to stop before everything was up; no error."""
