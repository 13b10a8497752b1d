"""`spanloop up` and `spanloop worker`: the services of the loop, until Ctrl-C."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spanloop.settings import DEFAULT_FILE, home, load_config

if TYPE_CHECKING:
    from spanloop.services.up import Links, ServiceOptions


def up(
    config: Annotated[Path | None, typer.Option(help="Configuration; default: spanloop.yaml.")] = None,
    prefect_port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the Prefect server.")] = 4200,
    prefect_host: Annotated[
        str, typer.Option(help="Address the Prefect server listens on; 0.0.0.0 lets other machines in.")
    ] = "127.0.0.1",
    argilla: Annotated[bool, typer.Option(help="Start Argilla too, where the configuration has it here.")] = True,
) -> None:
    """Start Argilla, a Prefect server and a worker with the deployments; Ctrl-C stops them all."""
    from spanloop.services import up as services

    options = _options(config, host=prefect_host, port=prefect_port, with_argilla=argilla)
    _until_stopped(lambda: services.run_all(options, _say, _show))


def worker(
    config: Annotated[Path | None, typer.Option(help="Configuration; default: spanloop.yaml.")] = None,
    prefect_url: Annotated[
        str, typer.Option(envvar="PREFECT_API_URL", help="Address of the Prefect server's API.")
    ] = "http://127.0.0.1:4200/api",
) -> None:
    """Deploy to a Prefect server that runs elsewhere, and run its rounds on this machine until Ctrl-C."""
    from spanloop.services import up as services

    options = _options(config)
    _until_stopped(lambda: services.run_worker(options, prefect_url, _say, _show))


def _options(config: Path | None, **options: Any) -> "ServiceOptions":
    from spanloop.services.prefect import Place
    from spanloop.services.up import ServiceOptions

    file = config or Path(os.environ.get("SPANLOOP_CONFIG") or DEFAULT_FILE)
    if not file.exists():
        _say(f"{file} is not here, so the deployments have no labels yet; 'spanloop init' writes it")
    place = Place(home(), os.environ)
    return ServiceOptions(place, read_config=lambda: load_config(config), config_file=file.absolute(), **options)


def _until_stopped(run: Callable[[], None]) -> None:
    from spanloop.processes.supervisor import Stopped

    try:
        run()
    except Stopped:
        _say("stopped before everything was up")


def _say(what: str) -> None:
    typer.echo(f"spanloop: {what}", err=True)


def _show(links: "Links") -> None:
    from spanloop.argilla.credentials import credentials_path, read_credentials

    typer.echo(f"Argilla  {links.argilla}")
    path = credentials_path(home())
    known = read_credentials(path)
    if known is not None and known.api_url == links.argilla.rstrip("/"):
        typer.echo(f"         user {known.username}, password in {path}")
    typer.echo(f"Prefect  {links.prefect}")
    for name, page in links.deployments.items():
        typer.echo(f"         {name}: {page}")
    typer.echo(f"         for 'prefect' in another terminal: export PREFECT_API_URL={links.prefect}/api")
    typer.echo("Ctrl-C stops them all.")
