"""Start, stop and look at the local Argilla server, a process that goes on when the command that started it ends."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from spanloop.argilla.credentials import Credentials, credentials_path, ensure_credentials, read_credentials
from spanloop.errors import ServiceError
from spanloop.installing.output import Progress
from spanloop.local_argilla.environment import ensure_environment, environment_path
from spanloop.local_argilla.health import Health, ask, count_records
from spanloop.local_argilla.log import log_path
from spanloop.local_argilla.state import PROGRAM, ServerState, argilla_folder, running_state, state_path, write_state
from spanloop.processes import ports
from spanloop.processes.files import file_lock, last_line, writing
from spanloop.processes.spawn import end_all, is_alive, spawn

PORT = 6900
_FOREIGN = ("ARGILLA_", "PYTHON", "VIRTUAL_ENV", "SPANLOOP_ARGILLA_")


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers.

    Attributes:
        url: Address for a browser on this machine.
        username: The owner account.
        password: Its password for the web UI.
        api_key: Its key for the REST API.
        pid: The server's process.
        fresh: Whether this very call started it.
        first: Whether it is ready for the first time, so that somebody should be told the password.
    """

    url: str
    username: str
    password: str
    api_key: str
    pid: int
    fresh: bool
    first: bool = False

    def __repr__(self) -> str:
        """Without the password and the key."""
        return f"Running(url={self.url!r}, pid={self.pid}, fresh={self.fresh})"


@dataclass(frozen=True, slots=True)
class Status:
    """What is known of the server: with no `pid` it does not run.

    Attributes:
        since: When it was started, ISO 8601 in UTC.
        health: `ready`, `starting` (no answer yet) or `stopped`.
        records: Records in all data sets; None when it does not answer.
        completed: Those of them that have enough submitted responses.
    """

    url: str = ""
    pid: int | None = None
    since: str = ""
    health: str = "stopped"
    records: int | None = None
    completed: int | None = None


def start(
    home: Path,
    host: str = "127.0.0.1",
    port: int = PORT,
    *,
    environ: Mapping[str, str] = os.environ,
    progress: Progress = lambda what, share: None,
    patience: float = 180.0,
    port_setting: str = "--port",
) -> Running:
    """Start the server unless it runs, and wait until it answers.

    Args:
        home: spanloop's home; the server's data live in its folder `argilla`.
        host: Address to listen on.
        port: Port to listen on; of no meaning when the server runs already.
        environ: Environment variables.
        progress: Told what happens and how far it is.
        patience: Seconds to wait for the first answer.
        port_setting: What chooses another port, for the message that says that this one is taken.

    Raises:
        ServiceError: The port is taken, the environment cannot be made, or the server ended or did not answer.
    """
    folder = argilla_folder(home)
    if bad := sorted({"%", "?"} & set(str(folder))):
        raise ServiceError(f"{folder}: Argilla's database takes no {bad[0]!r} in its path; set SPANLOOP_HOME elsewhere")
    state, fresh = running_state(home), False
    if state is None:
        python = ensure_environment(environment_path(home, environ), progress)
        with file_lock(folder / "start.lock", patience=30, taken=f"another start holds {folder / 'start.lock'}"):
            state = running_state(home)
            if state is None:
                ports.require_free(host, port, port_setting)
                state, fresh = _launch(home, python, host, port, environ), True
    credentials = read_credentials(credentials_path(home))
    if credentials is None:
        raise ServiceError(f"{credentials_path(home)} is gone while Argilla runs; 'spanloop argilla stop', then start")
    try:
        _await(home, state, credentials, progress, patience)
    except BaseException:
        if fresh:  # whoever started it ends it: no half-started server stays behind after Ctrl-C
            stop(home)
        raise
    told = folder / ".told"
    first = fresh and not told.exists()
    if first:
        told.touch()
    return Running(
        state.url, credentials.username, credentials.password, credentials.api_key, state.pid, fresh, first=first
    )


def stop(home: Path) -> bool:
    """End the server and all that it started.

    Returns:
        Whether there was one.
    """
    folder = argilla_folder(home)
    if not folder.exists():
        return False
    with file_lock(folder / "start.lock", patience=60, taken=f"another start holds {folder / 'start.lock'}"):
        state = running_state(home)
        if state is not None:
            end_all([state.pid])
        state_path(home).unlink(missing_ok=True)
    return state is not None


def status(home: Path) -> Status:
    """Look at the server without changing anything."""
    state = running_state(home)
    if state is None:
        return Status()
    credentials = read_credentials(credentials_path(home))
    if credentials is None or ask(state.url, credentials.api_key) is not Health.READY:
        return Status(state.url, state.pid, state.since, "starting")
    total, completed = count_records(state.url, credentials.api_key)
    return Status(state.url, state.pid, state.since, "ready", total, completed)


def _launch(home: Path, python: Path, host: str, port: int, environ: Mapping[str, str]) -> ServerState:
    """Start the process and write the pid file; the caller holds the lock."""
    folder = argilla_folder(home)
    url = ports.local_url(host, port)
    ensure_credentials(credentials_path(home), url)
    with writing(folder):
        (folder / "data").mkdir(exist_ok=True)
    child = spawn(
        [str(python), str(PROGRAM)],
        log=log_path(home),
        environ=_environment(folder, host, port, environ),
        cwd=folder / "data",  # Argilla reads .oauth.yaml and .env of its working folder: never the user's
    )
    state = ServerState(child.pid, url, datetime.now(UTC).isoformat(timespec="seconds"))
    write_state(home, state)
    return state


def _environment(folder: Path, host: str, port: int, environ: Mapping[str, str]) -> dict[str, str]:
    """The server's variables: what the user has set for Argilla's client or for Python is not meant for it."""
    kept = {k: v for k, v in environ.items() if not k.startswith(_FOREIGN)}
    return kept | {
        "SPANLOOP_ARGILLA_HOST": host,
        "SPANLOOP_ARGILLA_PORT": str(port),
        "SPANLOOP_ARGILLA_CREDENTIALS": str(folder / "credentials.json"),
        "ARGILLA_HOME_PATH": str(folder / "data"),
        "PYTHONUNBUFFERED": "1",
    }


def _await(home: Path, state: ServerState, credentials: Credentials, progress: Progress, patience: float) -> None:
    """Wait for the first answer that knows our key."""
    begun = time.monotonic()
    while (health := ask(state.url, credentials.api_key)) is not Health.READY:
        waited = time.monotonic() - begun
        if not is_alive(state.pid):
            raise ServiceError(
                f"Argilla ended while starting: {last_line(log_path(home))}; its log is {log_path(home)}"
            )
        if health is Health.REFUSED:
            raise ServiceError(f"the server at {state.url} does not know the key in {credentials_path(home)}")
        if waited > patience:
            raise ServiceError(f"Argilla is silent at {state.url} after {patience:.0f} s; its log is {log_path(home)}")
        progress("starting Argilla", min(0.95, waited / 20))
        time.sleep(0.2)
