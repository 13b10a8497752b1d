"""Start, stop and look at the local Argilla server, a process that goes on when the command that started it ends."""

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from spanloop.errors import ServiceError
from spanloop.server.credentials import Credentials, credentials_path, ensure_credentials, read_credentials
from spanloop.server.environment import Progress, ensure_environment, environment_path
from spanloop.server.health import Health, ask, count_records
from spanloop.services import locks, ports, processes

LAUNCHER = Path(__file__).with_name("launch.py")
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
        url: Its address.
        pid: Its process.
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


@dataclass(frozen=True, slots=True)
class _State:
    """The pid file."""

    pid: int
    url: str
    since: str


def start(
    home: Path,
    host: str = "127.0.0.1",
    port: int = PORT,
    *,
    environ: Mapping[str, str] = os.environ,
    progress: Progress = lambda what, share: None,
    patience: float = 180.0,
) -> Running:
    """Start the server unless it runs, and wait until it answers.

    Args:
        home: spanloop's home; the server's data live in its folder `argilla`.
        host: Address to listen on.
        port: Port to listen on; of no meaning when the server runs already.
        environ: Environment variables.
        progress: Told what happens and how far it is.
        patience: Seconds to wait for the first answer.

    Raises:
        ServiceError: The port is taken, the environment cannot be made, or the server ended or did not answer.
    """
    folder = _folder(home)
    state, fresh = _running(home), False
    if state is None:
        python = ensure_environment(environment_path(home, environ), progress)
        with locks.file_lock(folder / "start.lock", patience=30, taken=f"another start holds {folder / 'start.lock'}"):
            state = _running(home)
            if state is None:
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
    told.touch()
    return Running(
        state.url, credentials.username, credentials.password, credentials.api_key, state.pid, fresh, first=first
    )


def stop(home: Path) -> bool:
    """End the server and all that it started.

    Returns:
        Whether there was one.
    """
    folder = _folder(home)
    if not folder.exists():
        return False
    with locks.file_lock(folder / "start.lock", patience=60, taken=f"another start holds {folder / 'start.lock'}"):
        state = _running(home)
        if state is not None:
            processes.end([state.pid])
        _state_path(home).unlink(missing_ok=True)
    return state is not None


def status(home: Path) -> Status:
    """Look at the server without changing anything."""
    state = _running(home)
    if state is None:
        return Status()
    credentials = read_credentials(credentials_path(home))
    if credentials is None or ask(state.url, credentials.api_key) is not Health.READY:
        return Status(state.url, state.pid, state.since, "starting")
    total, completed = count_records(state.url, credentials.api_key)
    return Status(state.url, state.pid, state.since, "ready", total, completed)


def log_path(home: Path) -> Path:
    """Where the server's output goes."""
    return _folder(home) / "server.log"


def logs(home: Path, last: int = 100, follow: Callable[[], bool] | None = None) -> Iterator[str]:
    """The lines of the server's log.

    Args:
        home: spanloop's home.
        last: How many lines from the end; 0: all.
        follow: Asked at the end of the file: wait for more? None: no.

    Raises:
        ServiceError: There is no log.
    """
    path = log_path(home)
    try:
        file = path.open(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        raise ServiceError(f"{path} does not exist: start Argilla first ('spanloop argilla start')") from None
    with file:
        lines = file.readlines()
        yield from (x.rstrip("\n") for x in lines[-last:])
        while follow is not None and follow():
            if line := file.readline():
                yield line.rstrip("\n")
            elif path.exists() and path.stat().st_ino != os.fstat(file.fileno()).st_ino:
                return  # moved aside: a new server writes a new file
            else:
                time.sleep(0.2)


def _folder(home: Path) -> Path:
    return home / "argilla"


def _state_path(home: Path) -> Path:
    return _folder(home) / "server.json"


def _running(home: Path) -> _State | None:
    """The pid file's server if it is alive and truly this one: the pid may belong to another process by now."""
    try:
        state = _State(**json.loads(_state_path(home).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None
    try:
        process = psutil.Process(state.pid)
        ours = process.environ().get("ARGILLA_HOME_PATH") == str(_folder(home) / "data")
        launched = any(Path(x).name == LAUNCHER.name for x in process.cmdline())
    except (psutil.Error, OSError):
        return None
    return state if ours and launched and processes.alive(state.pid) else None


def _launch(home: Path, python: Path, host: str, port: int, environ: Mapping[str, str]) -> _State:
    """Start the process and write the pid file; the caller holds the lock."""
    ports.require_free(host, port, "--port")
    folder = _folder(home)
    near = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host  # noqa: S104
    url = f"http://[{near}]:{port}" if ":" in near else f"http://{near}:{port}"
    ensure_credentials(credentials_path(home), url)
    (folder / "data").mkdir(exist_ok=True)
    child = processes.spawn(
        [str(python), str(LAUNCHER)],
        log=log_path(home),
        environ=_environment(folder, host, port, environ),
        cwd=folder / "data",  # Argilla reads .oauth.yaml and .env of its working folder: never the user's
    )
    state = _State(child.pid, url, datetime.now(UTC).isoformat(timespec="seconds"))
    beside = _state_path(home).with_suffix(".tmp")
    beside.write_text(json.dumps(asdict(state)), encoding="utf-8")
    beside.replace(_state_path(home))
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


def _await(home: Path, state: _State, credentials: Credentials, progress: Progress, patience: float) -> None:
    """Wait for the first answer that knows our key."""
    begun = time.monotonic()
    while (health := ask(state.url, credentials.api_key)) is not Health.READY:
        waited = time.monotonic() - begun
        if not processes.alive(state.pid):
            raise ServiceError(f"Argilla ended while starting: {_last_words(home)}; its log is {log_path(home)}")
        if health is Health.REFUSED:
            raise ServiceError(f"the server at {state.url} does not know the key in {credentials_path(home)}")
        if waited > patience:
            raise ServiceError(f"Argilla is silent at {state.url} after {patience:.0f} s; its log is {log_path(home)}")
        progress("starting Argilla", min(0.95, waited / 20))
        time.sleep(0.2)


def _last_words(home: Path) -> str:
    """The last line of the log that says something."""
    with contextlib.suppress(ServiceError):
        for line in reversed(list(logs(home, last=50))):
            if line.strip():
                return line.strip()[:300]
    return "no output"
