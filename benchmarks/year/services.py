"""`spanloop up` as a user starts it, a run of its deployment, and what its processes use."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil

from spanloop.local_argilla.state import running_state
from spanloop.processes.watchdog import Watchdog

T = TypeVar("T")
_SPANLOOP = (sys.executable, "-c", "from spanloop.cli import main; main()")
_ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


class Services:
    """Argilla, a Prefect server and a worker, under one `spanloop up`; use it as a context manager.

    Args:
        folder: Holds `spanloop.yaml`.
        home: spanloop's home.
        environ: The whole environment of all of them.
        port: Of Prefect.
    """

    def __init__(self, folder: Path, home: Path, environ: Mapping[str, str], port: int) -> None:
        self._folder, self._home, self._environ, self._port = folder, home, environ, port
        self.api_url = f"http://127.0.0.1:{port}/api"

    def __enter__(self) -> "Services":
        """Start, and wait until everything is up."""
        said, self._watchdog = self._folder / "up.out", Watchdog()
        with said.open("w") as out:
            self._up = subprocess.Popen(
                [*_SPANLOOP, "up", "--prefect-port", str(self._port)],
                env=dict(self._environ), cwd=self._folder, stdout=out, stderr=out, start_new_session=True,
            )  # fmt: skip
        self._watchdog.hold(self._up.pid)

        def ready() -> bool:
            if self._up.poll() is not None:
                raise RuntimeError(f"spanloop up ended: {said.read_text()[-2000:]}")
            return "Ctrl-C stops them all." in said.read_text()

        self._eventually(ready, patience=300)
        self._processes = self._find_processes()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop as with Ctrl-C."""
        self._up.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            self._up.wait(60)
        self._watchdog.close()

    def run_deployment(self) -> None:
        """Run the deployment as its schedule does, and wait for the end.

        Raises:
            RuntimeError: The run failed.
        """
        (deployment,) = self._ask("POST", "/deployments/filter", {})
        body = {"state": {"type": "SCHEDULED"}}
        run = self._ask("POST", f"/deployments/{deployment['id']}/create_flow_run", body)["id"]

        def state() -> dict[str, Any] | None:
            now = self._ask("GET", f"/flow_runs/{run}")["state"]
            return now if now["type"] in _ENDED else None

        ended = self._eventually(state, patience=900)
        self._eventually(lambda: not self._processes["worker"].children(), patience=120)  # then its time counts
        if ended["type"] != "COMPLETED":
            raise RuntimeError(f"the deployed run ended as {ended['type']}: {ended['message']}")

    def usage(self) -> dict[str, dict[str, float]]:
        """Processor seconds so far, ended children included, memory in MB and open files of each process."""
        return {name: usage(process) for name, process in self._processes.items()}

    def _find_processes(self) -> dict[str, psutil.Process]:
        up = psutil.Process(self._up.pid)
        found = {"up": up}
        for child in up.children(recursive=True):
            words = " ".join(child.cmdline())
            for name, mark in ("Prefect server", "server start"), ("worker", "worker start"):
                if mark in words and name not in found:
                    found[name] = child
        if state := running_state(self._home):
            found["Argilla"] = psutil.Process(state.pid)
        return found

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        def answer() -> httpx.Response | None:
            found = httpx.request(method, f"{self.api_url}{path}", json=body, timeout=120, trust_env=False)
            return None if found.status_code == 503 else found.raise_for_status()  # 503: SQLite is busy

        return self._eventually(answer, patience=120).json()

    @staticmethod
    def _eventually(true: Callable[[], T | None], patience: float) -> T:
        deadline = time.monotonic() + patience
        while not (value := true()):
            if time.monotonic() > deadline:
                raise RuntimeError(f"nothing came in {patience:.0f} s")
            time.sleep(0.3)
        return value


def usage(process: psutil.Process) -> dict[str, float]:
    """Processor seconds so far, ended children included, memory in MB and open files of a process."""
    times = process.cpu_times()
    cpu = times.user + times.system + times.children_user + times.children_system
    return {"cpu": cpu, "rss_mb": process.memory_info().rss / 1e6, "open_files": process.num_fds()}


def surroundings(home: Path, scratch: Path, caches: Path) -> dict[str, str]:
    """An environment with homes and temporary folders of its own, in which Prefect's hour and day are seconds."""
    foreign = ("PREFECT_", "SPANLOOP_", "ARGILLA_", "HF_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    if "SPANLOOP_SERVER_ENV" in os.environ:
        kept["SPANLOOP_SERVER_ENV"] = os.environ["SPANLOOP_SERVER_ENV"]
    return kept | {
        "SPANLOOP_HOME": str(home),
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_SERVER_SERVICES_DB_VACUUM_LOOP_SECONDS": "10",  # every hour, as a day takes seconds
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ORPHAN_CLEANUP_LOOP_SECONDS": "60",  # every day
        "PREFECT_LOGGING_EXTRA_LOGGERS": "spanloop",  # as the deployment has it
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "WARNING",
        "TMPDIR": str(scratch),
        "HF_HOME": str(caches),
        "HF_HUB_OFFLINE": "1",
        "DO_NOT_TRACK": "1",
        "OMP_NUM_THREADS": "1",
    }
