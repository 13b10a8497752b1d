"""Flow runs whose process is no more, but which the Prefect server still believes to run.

Such a run would count as running for ever, and hold the one slot of its deployment.
"""

import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import psutil

from spanloop.errors import ServiceError
from spanloop.services.prefect_api import PrefectApi
from spanloop.services.supervisor import Say, Supervisor


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
        with contextlib.suppress(ServiceError):  # the server may be what ended
            sweep(api, pool, say)


def sweep(api: PrefectApi, pool: str, say: Say) -> None:
    """Mark the runs whose process is no more as crashed.

    Nothing is done while a worker on another machine serves the pool: the process may be there.

    Raises:
        ServiceError: The Prefect server did not answer as expected.
    """
    here = f"{socket.gethostname()}-"
    if any(not name.startswith(here) for name in api.online_workers(pool)):
        return
    for flow_run in api.unfinished(api.deployments(pool)):
        if not _has_process(flow_run):
            api.mark_crashed(flow_run["id"], "its process ended with spanloop up, or with the machine; run it again")
            say(f"the run {flow_run['name']} was cut off; it counts as crashed")


def _has_process(flow_run: dict[str, Any]) -> bool:
    """Whether the process is there and is that run's: the number may be another's by now."""
    pid = str(flow_run.get("infrastructure_pid") or "").rpartition(":")[2]
    try:
        return bool(psutil.Process(int(pid)).environ().get("PREFECT__FLOW_RUN_ID") == flow_run["id"])
    except (ValueError, psutil.Error):
        return False
