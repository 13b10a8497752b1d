"""A Prefect server and a worker with our deployments as child processes; Prefect itself is not imported here."""

import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from spanloop.config import LoopConfig
from spanloop.processes import ports
from spanloop.processes.supervisor import Child, Supervisor
from spanloop.services import deployments
from spanloop.services.prefect_api import PrefectApi
from spanloop.services.prefect_environment import program_root

POOL = "spanloop"  # the work pool that the deployments name
PORT = 4200  # of `spanloop up`, unless it is told another
_FORGETFUL = {"PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs"}  # or its database grows for ever
_PREFECT = (sys.executable, "-P", "-m", "prefect")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the services run.

    Attributes:
        home: spanloop's home; logs go to its folder `logs`.
        environ: Environment variables.
    """

    home: Path
    environ: Mapping[str, str]

    def runs(self) -> Path:
        """An empty folder for runs to start in: in the user's, a file named like a library would shadow it."""
        folder = self.home / "runs"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def log(self, name: str) -> Path:
        """The log of a service."""
        return self.home / "logs" / f"{name}.log"

    def environment(self, api_url: str) -> dict[str, str]:
        """The variables of a Prefect process that talks to the server at `api_url`."""
        return {
            "PREFECT_HOME": str(self.home / "prefect"),
            "PREFECT_WORKER_QUERY_SECONDS": "5",
            "PREFECT_WORKER_ENABLE_CANCELLATION": "true",
            **self.environ,
            "SPANLOOP_HOME": str(self.home),
            "PREFECT_API_URL": api_url,
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
            **ports.past_proxies(self.environ),
            **dict.fromkeys(ports.unusable_proxies(self.environ), ""),
            "PYTHONSAFEPATH": "1",  # a file of the user's named like a library must not shadow it
            "PYTHONPATH": os.pathsep.join(filter(None, (str(program_root()), self.environ.get("PYTHONPATH")))),
            "PYTHONUNBUFFERED": "1",
        }


def start_server(supervisor: Supervisor, place: Place, host: str, port: int, run_days: int) -> tuple[Child, PrefectApi]:
    """Start a Prefect server on a port that the caller has found free; it is not waited for.

    Args:
        supervisor: Holds it.
        place: Where it runs.
        host: Address to listen on.
        port: Port to listen on.
        run_days: Days after which it forgets runs.
    """
    api_url = f"{ports.local_url(host, port)}/api"
    # Without PREFECT_UI_API_URL the pages would call port 4200, whatever the port is. A path, not an address: so the
    # pages call the host that they came from, under whatever name it was reached.
    environ = _FORGETFUL | place.environment(api_url) | {"PREFECT_UI_API_URL": "/api"}
    environ.setdefault("PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD", str(run_days * 86400))
    command = [*_PREFECT, "server", "start", "--host", host, "--port", str(port)]
    child = supervisor.start(
        "the Prefect server", command, environ=environ, log=place.log("prefect-server"), cwd=place.home
    )
    return child, PrefectApi.at(api_url, place.environ)


def start_worker(supervisor: Supervisor, place: Place, api: PrefectApi) -> None:
    """Start a worker, which creates its work pool where that is missing, and wait until the server knows it.

    Raises:
        ServiceError: It did not come up.
    """
    name = f"{socket.gethostname()}-{os.getpid()}"
    command = [*_PREFECT, "worker", "start", "--pool", POOL, "--type", "process", "--name", name]
    if "PREFECT_WORKER_WEBSERVER_PORT" in place.environ:  # somebody wants to ask the worker itself how it is
        command.append("--with-healthcheck")
    child = supervisor.start(
        "the Prefect worker",
        command,
        environ=place.environment(api.url),
        log=place.log("prefect-worker"),
        cwd=place.runs(),
    )
    supervisor.wait(child, lambda: name in api.online_workers(POOL))


def deploy(supervisor: Supervisor, place: Place, api: PrefectApi, config: LoopConfig, definition: Path) -> None:
    """Create or renew the deployments of a definition; `config` is what their runs have by default.

    Raises:
        ServiceError: The definition or the server is not as it should be.
    """
    tree = deployments.read_definition(definition)
    deployments.fill(tree, config, place.runs(), {x.name: x.schedules for x in api.deployments(POOL)})
    filled = place.home / "prefect" / "deployments.yaml"
    deployments.write_definition(tree, filled)
    command = [*_PREFECT, "--no-prompt", "deploy", "--all", "--prefect-file", str(filled)]
    child = supervisor.start(
        "prefect deploy", command, environ=place.environment(api.url), log=place.log("prefect-deploy"), cwd=place.runs()
    )
    supervisor.finish(child)
    wanted = {x["name"]: x.get("parameters") or {} for x in tree["deployments"]}
    for deployment in api.deployments(POOL):
        # prefect deploy takes "{{ word }}" for a template, and guidelines may well say that
        if deployment.parameters != wanted.get(deployment.name, deployment.parameters):
            api.set_parameters(deployment, wanted[deployment.name])
