"""Environment variables under which Prefect runs here; set before it is imported, which this module never does."""

import tomllib
from collections.abc import MutableMapping
from pathlib import Path
from tempfile import TemporaryFile

import spanloop
from spanloop.errors import ConfigError
from spanloop.processes.ports import past_proxies
from spanloop.services.prefect_api import PrefectApi
from spanloop.settings import home

_DEFAULTS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",  # a busy machine takes longer than Prefect's 20
    "PREFECT_LOGGING_EXTRA_LOGGERS": "spanloop",  # the library's decisions appear in the run's log
    "PREFECT_LOGGING_LEVEL": "WARNING",  # and Prefect's own bookkeeping does not
    "PYTHONSAFEPATH": "1",  # a file in the working folder named like a library must not shadow it in a child process
}


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

    Raises:
        ConfigError: Prefect has no folder that it could write, or a file that it will read is damaged.
    """
    for name, value in _DEFAULTS.items():
        environ.setdefault(name, value)
    environ.update(past_proxies(environ))
    _check_files(_own_folder(environ))
    url = environ.get("PREFECT_API_URL")
    if not url or PrefectApi.at(url, environ).answers():
        return None
    return environ.pop("PREFECT_API_URL")


def _own_folder(environ: MutableMapping[str, str]) -> Path:
    """Prefect's folder, made with what it lies in; among spanloop's own services where there is no home to write."""
    named = environ.get("PREFECT_HOME")
    try:
        return _writable(Path(named or "~/.prefect"))
    except (OSError, RuntimeError) as error:
        if named:
            raise ConfigError(f"PREFECT_HOME {named} cannot be used ({error}); name a folder that can") from None
    place = home(environ) / "prefect"
    try:
        environ["PREFECT_HOME"] = str(_writable(place))
    except OSError as error:
        raise ConfigError(f"{place} cannot be used ({error}); set PREFECT_HOME to a folder for Prefect") from None
    return place


def _writable(place: Path) -> Path:
    place = place.expanduser()
    place.mkdir(parents=True, exist_ok=True)
    with TemporaryFile(dir=place):
        return place


def _check_files(folder: Path) -> None:
    """Tell of a damaged file of settings before Prefect does, at length."""
    for path in (folder / "profiles.toml", Path("prefect.toml"), Path("pyproject.toml")):
        try:
            tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError:
            continue
        except ValueError as error:
            raise ConfigError(
                f"{path} is no TOML, and Prefect reads it ({error}); correct it, or move it away"
            ) from None
