"""The pid file of the local Argilla, and whether the process that it names is truly the server."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from spanloop.processes import spawn as processes
from spanloop.processes.files import writing

LAUNCHER = Path(__file__).with_name("launch.py")


@dataclass(frozen=True, slots=True)
class State:
    """The pid file.

    Attributes:
        pid: The server's process.
        url: Its address.
        since: When it was started, ISO 8601 in UTC.
    """

    pid: int
    url: str
    since: str


def argilla_folder(home: Path) -> Path:
    """Where the local Argilla of `home` keeps everything: credentials, pid file, log, and its data in `data`."""
    return home / "argilla"


def state_path(home: Path) -> Path:
    """The pid file."""
    return argilla_folder(home) / "server.json"


def write_state(home: Path, state: State) -> None:
    """Replace the pid file; no reader sees half of it.

    Raises:
        ServiceError: It cannot be written.
    """
    beside = state_path(home).with_suffix(".tmp")
    with writing(beside):
        beside.write_text(json.dumps(asdict(state)), encoding="utf-8")
        beside.replace(state_path(home))


def running_state(home: Path) -> State | None:
    """The pid file's server if it is alive and truly this one: the pid may belong to another process by now."""
    try:
        state = State(**json.loads(state_path(home).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    try:
        process = psutil.Process(state.pid)
        ours = process.environ().get("ARGILLA_HOME_PATH") == str(argilla_folder(home) / "data")
        launched = any(Path(x).name == LAUNCHER.name for x in process.cmdline())
    except (psutil.Error, OSError):
        return None
    return state if ours and launched and processes.alive(state.pid) else None
