"""How commands reach Argilla and Prefect."""

import os
import sys
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from spanloop.argilla import ArgillaClient
    from spanloop.config import LoopConfig


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
    from spanloop.services.prefect_api import PrefectApi
    from spanloop.services.prefect_environment import prepare_prefect, program_root

    sys.path.insert(0, str(program_root()))
    if passed_over := prepare_prefect(os.environ):
        typer.echo(f"Prefect at {passed_over} does not answer; a temporary server takes its place", err=True)
    from prefect.settings import get_current_settings

    api = get_current_settings().api
    if api.url:
        secrets = {"PREFECT_API_KEY": api.key, "PREFECT_API_AUTH_STRING": api.auth_string}
        PrefectApi.at(api.url, {name: x.get_secret_value() for name, x in secrets.items() if x}).require()
