"""What the program is told by its environment, and what it tells argilla_server by the same way."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ENGINE_NAME = "sqlite"


class LaunchError(Exception):
    """The server cannot be started; one line says what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Options:
    """Where to serve, what to serve, and for whom.

    Attributes:
        home: Data folder.
        username: The owner account.
        password: Of 8 to 100 characters.
        auth_secret: Signs the logins, so that they survive a restart.
    """

    home: Path
    host: str
    port: int
    username: str
    password: str = field(repr=False)
    api_key: str = field(repr=False)
    auth_secret: str = field(repr=False)

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.home / "argilla.db"

    @property
    def scratch(self) -> Path:
        """Folder for what is written at each start anew."""
        return self.home / "scratch"


def read_options(environ: Mapping[str, str]) -> Options:
    """Read the options.

    Raises:
        LaunchError: A variable is missing or malformed, or the credentials cannot be read.
    """
    for name in ("ARGILLA_HOME_PATH", "SPANLOOP_ARGILLA_CREDENTIALS"):
        if not environ.get(name):
            raise LaunchError(f"{name} is not set; see the first lines of program.py")
    port = environ.get("SPANLOOP_ARGILLA_PORT") or "6900"
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise LaunchError(f"SPANLOOP_ARGILLA_PORT={port} is not a port; use 1 to 65535")
    secrets = _read_credentials(Path(environ["SPANLOOP_ARGILLA_CREDENTIALS"]))
    return Options(
        home=Path(environ["ARGILLA_HOME_PATH"]).absolute(),
        host=environ.get("SPANLOOP_ARGILLA_HOST") or "127.0.0.1",
        port=int(port),
        **secrets,
    )


def _read_credentials(path: Path) -> dict[str, str]:
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
        return {name: str(tree[name]) for name in ("username", "password", "api_key", "auth_secret")}
    except (OSError, ValueError) as error:
        raise LaunchError(f"the credentials {path} cannot be read: {error}") from None
    except (KeyError, TypeError) as error:
        raise LaunchError(f"the credentials {path} lack {error}; remove the file to have it made anew") from None


def apply_options(options: Options) -> None:
    """Set the environment that argilla_server reads while it is imported.

    What is set here is what the local server stands on; any other ARGILLA_… variable of the caller is kept.
    """
    os.environ.update(
        ARGILLA_HOME_PATH=str(options.home),
        ARGILLA_DATABASE_URL=f"sqlite+aiosqlite:///{options.database}?check_same_thread=False",
        ARGILLA_DATABASE_SQLITE_TIMEOUT="30",
        ARGILLA_AUTH_SECRET_KEY=options.auth_secret,
        ARGILLA_SEARCH_ENGINE=ENGINE_NAME,
        ARGILLA_REDIS_URL="redis://in-process",
        ARGILLA_REDIS_USE_CLUSTER="false",
        ARGILLA_ENABLE_TELEMETRY="false",
        HF_HUB_DISABLE_TELEMETRY="1",
        DO_NOT_TRACK="1",
    )
