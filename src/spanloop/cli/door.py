"""How commands reach Argilla and Prefect."""

import os
import sys
from typing import TYPE_CHECKING

import typer

from spanloop.errors import ConfigError

if TYPE_CHECKING:
    from spanloop.argilla import ArgillaClient
    from spanloop.config import LoopConfig
    from spanloop.services.prefect_api import PrefectApi


def open_argilla(config: "LoopConfig") -> "ArgillaClient":
    """`argilla.connect`; where that has to ask Prefect for the key, Prefect gets its variables first."""
    from spanloop.argilla.connection import connect, needs_prefect

    if needs_prefect(config):
        ready_prefect()
    return connect(config)


def ready_prefect() -> None:
    """Make sure that flows can run: Prefect gets its variables, then its server is asked, wherever it is named.

    Raises:
        ServiceError: A profile or a settings file names a server that cannot be used.
    """
    from spanloop.processes.ports import unusable_proxies

    for name in unusable_proxies(os.environ):
        del os.environ[name]
        typer.echo(f"{name} names a SOCKS proxy and goes unused: that needs 'pip install httpx[socks]'", err=True)
    passed_over, api = find_prefect()
    if passed_over:
        typer.echo(f"Prefect at {passed_over} does not answer; a temporary server takes its place", err=True)
    if api:
        api.require()


def find_prefect() -> "tuple[str | None, PrefectApi | None]":
    """Give Prefect its variables, and find the server that flows run on.

    Returns:
        The address of a server that was passed over, for it does not answer; and the server, None: a temporary one.
    """
    from spanloop.services.prefect_api import PrefectApi
    from spanloop.services.prefect_environment import prepare_prefect, program_root

    if (root := str(program_root())) not in sys.path[:1]:
        sys.path.insert(0, root)
    passed_over = prepare_prefect(os.environ)
    try:
        from prefect.settings import get_current_settings

        api = get_current_settings().api
    except Exception as error:  # a world of files and variables is read here
        raise ConfigError(
            f"Prefect cannot read its settings ({' '.join(str(error).split())[:300]}); look at the variables "
            "PREFECT_..., at .env in this folder, and at profiles.toml in PREFECT_HOME"
        ) from None
    secrets = {"PREFECT_API_KEY": api.key, "PREFECT_API_AUTH_STRING": api.auth_string}
    known = {name: x.get_secret_value() for name, x in secrets.items() if x}
    return passed_over, PrefectApi.at(api.url, known) if api.url else None
