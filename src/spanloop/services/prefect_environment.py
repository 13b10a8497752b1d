"""Environment variables under which Prefect runs here; set before it is imported, which this module never does."""

import os
import shutil
from collections.abc import MutableMapping
from contextlib import suppress
from pathlib import Path

import spanloop
from spanloop.errors import ServiceError
from spanloop.processes.ports import past_proxies
from spanloop.services.prefect_api import PrefectApi

_DEFAULTS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",  # a busy machine takes longer than Prefect's 20
    "PREFECT_LOGGING_EXTRA_LOGGERS": "spanloop",  # the library's decisions appear in the run's log
    "PREFECT_LOGGING_LEVEL": "WARNING",  # and Prefect's own bookkeeping does not
}
_DATABASE = 20_000_000  # bytes: an empty one has 1.6 million, and a journal


def program_root() -> Path:
    """The folder that holds the packages `flows` and `tasks`: everybody's names, so it goes to the front of the path.

    It is the folder of the installed package, or the top of a clone.
    """
    installed = Path(spanloop.__file__).resolve().parents[1]
    return installed if (installed / "flows").is_dir() else installed.parent


def prepare_prefect(environ: MutableMapping[str, str]) -> str | None:
    """Set what Prefect needs for a round by hand, without overriding what the user has set.

    A server in `PREFECT_API_URL` that does not answer is passed over: the round then runs on a temporary server.

    Returns:
        The address of the server that was passed over; None if none was.
    """
    for name, value in _DEFAULTS.items():
        environ.setdefault(name, value)
    environ.update(past_proxies(environ))
    if place := environ.get("PREFECT_HOME"):
        with suppress(OSError):  # Prefect makes it, but not what it lies in
            Path(place).expanduser().mkdir(parents=True, exist_ok=True)
    url = environ.get("PREFECT_API_URL")
    if not url or PrefectApi.at(url, environ).answers():
        return None
    return environ.pop("PREFECT_API_URL")


def require_room(home: Path) -> None:
    """Refuse a folder in which a temporary server cannot keep its database: it would say so in a thousand lines.

    Args:
        home: Prefect's home, there or not.

    Raises:
        ServiceError: There is no room, or it cannot be written.
    """
    there = next(path for path in (home, *home.absolute().parents) if path.exists())
    way_out = "or set PREFECT_HOME to another folder"
    if not os.access(there, os.W_OK | os.X_OK):
        raise ServiceError(f"Prefect's home {home} cannot be written; check its permissions, {way_out}")
    if (free := shutil.disk_usage(there).free) < _DATABASE:
        raise ServiceError(
            f"Prefect's home {home} has {free / 1e6:.1f} MB left, a temporary server needs {_DATABASE / 1e6:.0f}; "
            f"free some space and run again, {way_out}"
        )
