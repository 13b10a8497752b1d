"""Child processes that outlive the call that started them, and their end together with all their descendants."""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import psutil

from spanloop.processes.files import writing

_LOG_LIMIT = 20 * 2**20


def spawn(command: Sequence[str], *, log: Path, environ: Mapping[str, str], cwd: Path) -> "subprocess.Popen[bytes]":
    """Start a process in a session of its own, so that neither Ctrl-C nor a closed terminal reaches it.

    Args:
        command: Program and arguments.
        log: File that gets its output, appended; a log past 20 MB is first moved aside to `….1`.
        environ: Its whole environment.
        cwd: Its working folder.

    Raises:
        ServiceError: The log cannot be written.
    """
    with writing(log):
        log.parent.mkdir(parents=True, exist_ok=True)
        if log.exists() and log.stat().st_size > _LOG_LIMIT:
            log.replace(log.with_name(log.name + ".1"))
        out = log.open("ab")
    with out:
        return subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=dict(environ),
            cwd=cwd,
            start_new_session=True,
        )


def shorten(log: Path) -> None:
    """Start a log anew that its process still writes to, once it is past 20 MB; what it held goes to `….1`."""
    with contextlib.suppress(OSError):
        if log.stat().st_size > _LOG_LIMIT:
            shutil.copyfile(log, log.with_name(log.name + ".1"))
            os.truncate(log, 0)  # its writer appends


def family(pids: Iterable[int]) -> list[psutil.Process]:
    """Every living process that descends from one of `pids`, or stayed behind in a session that one of them leads.

    A process that lost its parent is no descendant any more, but keeps the session: so both are looked at.
    """
    leaders = set(pids)
    found: dict[int, psutil.Process] = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            ancestors = {process.pid, *(p.pid for p in process.parents())}
            if os.getsid(process.pid) in leaders or ancestors & leaders:
                found[process.pid] = process
    found.pop(os.getpid(), None)
    return list(found.values())


def end_all(pids: Iterable[int], patience: float = 10.0) -> None:
    """End processes and all that they started: SIGTERM to each, then SIGKILL to whatever is left.

    Args:
        pids: Processes that were started with `spawn`.
        patience: Seconds between the two signals.
    """
    leaders = list(pids)
    members = family(leaders)
    for process in members:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    _wait(members, patience)
    left = {p.pid: p for p in (*members, *family(leaders)) if _lives(p)}
    for process in left.values():
        with contextlib.suppress(psutil.Error):
            process.kill()
    _wait(list(left.values()), 5)


def is_alive(pid: int) -> bool:
    """Whether the process exists and has not ended (a zombie has)."""
    try:
        return _lives(psutil.Process(pid))
    except psutil.Error:
        return False


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _wait(members: Iterable[psutil.Process], patience: float) -> None:
    """Wait until all have ended, without reaping them: the exit code belongs to whoever started them."""
    deadline = time.monotonic() + patience
    while any(_lives(p) for p in members) and time.monotonic() < deadline:
        time.sleep(0.05)
