"""Where Argilla's API key is found: an environment variable, or the credentials of the local Argilla."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from spanloop.argilla.credentials import credentials_path, read_credentials
from spanloop.config import ArgillaConfig
from spanloop.errors import ArgillaUnauthorized
from spanloop.settings import home

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def find_key(config: ArgillaConfig, environ: Mapping[str, str]) -> str:
    """The API key for `config.api_url`.

    Args:
        config: Names the environment variable.
        environ: Environment variables.

    Raises:
        ArgillaUnauthorized: There is no key: the variable is not set and the address is not the local Argilla's.
        ServiceError: The credentials file of the local Argilla is damaged.
    """
    if key := environ.get(config.api_key_env, "").strip():
        return key
    local = read_credentials(credentials_path(home(environ)))
    if local and _place(local.api_url) == _place(config.api_url):
        return local.api_key
    raise ArgillaUnauthorized(
        f"no API key for {config.api_url}: set {config.api_key_env}, or start the local Argilla with "
        "'spanloop argilla start'"
    )


def is_loopback(url: str) -> bool:
    """Is the address this machine's own?"""
    return urlsplit(url).hostname in _LOOPBACK


def _place(url: str) -> tuple[str | None, int | None]:
    """Host and port; every name of this machine is the same host, so that a key never leaves for another."""
    parts = urlsplit(url)
    host = "127.0.0.1" if parts.hostname in _LOOPBACK else parts.hostname
    return host, parts.port or (443 if parts.scheme == "https" else 80)
