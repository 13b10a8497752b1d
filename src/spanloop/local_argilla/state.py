"""The pid file of the local Argilla, and whether the process that it names is truly the server."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from spanloop.durable import replace_file
from spanloop.processes.files import writing
from spanloop.processes.ports import local_url
from spanloop.processes.spawn import is_alive

PROGRAM = Path(__file__).with_name("program.py")


@dataclass(frozen=True, slots=True)
class ServerState:
    """What the pid file tells of the server: its process, its address, and when it was started, ISO 8601 in UTC."""

    pid: int
    url: str
    since: str


def argilla_folder(home: Path) -> Path:
    """Where the local Argilla of `home` keeps everything: credentials, pid file, log, and its data in `data`."""
    return home / "argilla"


def state_path(home: Path) -> Path:
    """The pid file."""
    return argilla_folder(home) / "server.json"


def write_state(home: Path, state: ServerState) -> None:
    """Replace the pid file.

    Raises:
        ServiceError: It cannot be written.
    """
    with writing(state_path(home)):
        replace_file(state_path(home), json.dumps(asdict(state)))


def running_state(home: Path) -> ServerState | None:
    """The pid file's server if it is alive and truly this one: the pid may belong to another process by now."""
    try:
        state = ServerState(**json.loads(state_path(home).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    try:
        return state if _is_server(psutil.Process(state.pid), home) else None
    except psutil.Error:
        return None


def find_server(home: Path) -> ServerState | None:
    """The server as it is found among this machine's processes, whatever the pid file says."""
    for process in psutil.process_iter():
        if _is_server(process, home):
            environ, since = process.environ(), datetime.fromtimestamp(process.create_time(), UTC)
            url = local_url(environ["SPANLOOP_ARGILLA_HOST"], int(environ["SPANLOOP_ARGILLA_PORT"]))
            return ServerState(process.pid, url, since.isoformat(timespec="seconds"))
    return None


def _is_server(process: psutil.Process, home: Path) -> bool:
    try:
        ours = process.environ().get("ARGILLA_HOME_PATH") == str(argilla_folder(home) / "data")
        return ours and any(Path(x).name == PROGRAM.name for x in process.cmdline()) and is_alive(process.pid)
    except (psutil.Error, OSError):
        return False
