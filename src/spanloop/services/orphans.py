"""Flow runs whose process is no more, but which the Prefect server still believes to run.

Such a run would count as running for ever, and hold the one slot of its deployment.
"""

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import psutil

from spanloop.errors import ServiceError
from spanloop.processes.supervisor import Say, Supervisor
from spanloop.services.prefect_api import PrefectApi

_EVERY = 60.0  # seconds between two sweeps
_STARTING = 300.0  # seconds for which a run may be without a process


@contextlib.contextmanager
def swept(supervisor: Supervisor, api: PrefectApi, pool: str, say: Say) -> Iterator[None]:
    """Sweep before the block, for what a killed machine left, and after it, once the worker has ended.

    Raises:
        ServiceError: The Prefect server did not answer as expected before the block.
    """
    sweep(api, pool, say)
    try:
        yield
    finally:
        supervisor.end_last()
        if api.healthy():  # it may be what ended
            with contextlib.suppress(ServiceError):
                sweep(api, pool, say)


class Sweeper:
    """Sweeps once a minute: a worker that died on another machine is known to be gone only after a while."""

    def __init__(self, api: PrefectApi, pool: str, say: Say) -> None:
        """Begin to count the minutes."""
        self._api, self._pool, self._say = api, pool, say
        self._missed: dict[str, float] = {}  # run to when its process was first missed
        self._next = time.monotonic() + _EVERY

    def __call__(self) -> None:
        """Sweep if it is time; a server that is busy or away is asked again in a minute."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _EVERY
        with contextlib.suppress(ServiceError):
            sweep(self._api, self._pool, self._say, self._starts)

    def _starts(self, run: str) -> bool:
        """By the time that no clock tells: somebody may set the machine's."""
        now = time.monotonic()
        return now - self._missed.setdefault(run, now) < _STARTING


def sweep(api: PrefectApi, pool: str, say: Say, starts: Callable[[str], bool] = lambda run: False) -> None:
    """Mark the runs whose process is no more as crashed.

    Nothing is done while a worker on another machine serves the pool: the process may be there.

    Args:
        api: The Prefect server.
        pool: The work pool whose runs are looked at.
        say: Told which runs were marked.
        starts: Tells of a run by its id whether it may just start, and so have no process yet.

    Raises:
        ServiceError: The Prefect server did not answer as expected.
    """
    if any(not is_of_this_machine(name) for name in api.online_workers(pool)):
        return
    for flow_run in api.unfinished(api.deployments(pool)):
        if not _has_process(flow_run) and not starts(flow_run["id"]):
            api.mark_crashed(flow_run["id"], "its process ended with spanloop up, or with the machine; run it again")
            say(f"the run {flow_run['name']} was cut off; it counts as crashed")


def is_of_this_machine(worker: str) -> bool:
    """Whether a worker's name, host and process number, is that of one on this machine; `ner-2-71` is not of `ner`."""
    return worker.rpartition("-")[0] == socket.gethostname()


def _has_process(flow_run: dict[str, Any]) -> bool:
    """Whether the process is there and is that run's: the number may be another's by now."""
    pid = str(flow_run.get("infrastructure_pid") or "").rpartition(":")[2]
    try:
        return bool(psutil.Process(int(pid)).environ().get("PREFECT__FLOW_RUN_ID") == flow_run["id"])
    except (ValueError, psutil.Error):
        return False
