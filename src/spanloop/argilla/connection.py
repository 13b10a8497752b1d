"""The one door to Argilla: where the API key of a configuration is found, and the client that holds it."""

import os
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlsplit

from spanloop.argilla.client import ArgillaClient
from spanloop.argilla.credentials import credentials_path, read_credentials
from spanloop.config import ArgillaConfig, LoopConfig
from spanloop.errors import ArgillaUnauthorized, ConfigError
from spanloop.processes.ports import is_loopback
from spanloop.settings import home


def connect(config: LoopConfig, environ: Mapping[str, str] = os.environ) -> ArgillaClient:
    """Open a client for the Argilla of a configuration, from the command line and from tasks alike.

    The key is that of the environment variable `argilla.api_key_env`; without it that of the Prefect Secret block
    `argilla.api_key_block`, where one is named; else that of the local Argilla, for its own address only.

    Args:
        config: Names the server and where its key is kept; holds no key itself.
        environ: Environment variables.

    Returns:
        The client, to be used as a context manager; no request is made yet.

    Raises:
        ArgillaUnauthorized: There is no key.
        ConfigError: The Secret block cannot be read.
        ServiceError: The credentials file of the local Argilla is damaged.
    """
    argilla = config.argilla
    key = _from_environment(argilla, environ)
    if not key:
        key = _from_block(argilla.api_key_block) if argilla.api_key_block else _from_local(argilla, environ)
    return ArgillaClient(argilla.api_url, key, timeout=argilla.timeout_seconds)


def needs_prefect(config: LoopConfig, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether `connect` will ask Prefect for the key, which may take the start of a temporary server."""
    return bool(config.argilla.api_key_block) and not _from_environment(config.argilla, environ)


def _from_environment(config: ArgillaConfig, environ: Mapping[str, str]) -> str:
    return environ.get(config.api_key_env, "").strip()


def _from_block(name: str) -> str:
    """The key in a Prefect Secret block."""
    from prefect.blocks.system import Secret

    try:
        block = cast(Any, Secret.load(name))
    except ValueError:
        raise ConfigError(f"argilla.api_key_block: there is no Prefect Secret block {name!r}; create it") from None
    except Exception as error:
        problem = f"Prefect could not be asked for {name!r} ({type(error).__name__}); is PREFECT_API_URL right?"
        raise ConfigError(f"argilla.api_key_block: {problem}") from None
    return str(block.get()).strip()


def _from_local(config: ArgillaConfig, environ: Mapping[str, str]) -> str:
    """The key of the local Argilla, if that is what the address names."""
    local = read_credentials(credentials_path(home(environ)))
    if local and _place(local.api_url) == _place(config.api_url):
        return local.api_key
    if local and is_loopback(config.api_url):
        raise ArgillaUnauthorized(
            f"no API key for {config.api_url}: the local Argilla was last started at {local.api_url}; set "
            f"argilla.api_url to that, or {config.api_key_env} to a key"
        )
    raise ArgillaUnauthorized(
        f"no API key for {config.api_url}: set {config.api_key_env}, or start the local Argilla with "
        "'spanloop argilla start'"
    )


def _place(url: str) -> tuple[str | None, int | None]:
    """Host and port; every name of this machine is the same host, so that a key never leaves for another."""
    parts = urlsplit(url)
    host = "localhost" if is_loopback(url) else parts.hostname
    return host, parts.port or (443 if parts.scheme == "https" else 80)
