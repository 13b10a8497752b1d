"""`spanloop up`: Argilla, a Prefect server and a worker with the deployments, until Ctrl-C."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spanloop.settings import DEFAULT_FILE, home, load_config

if TYPE_CHECKING:
    from spanloop.services.up import Links


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
    from spanloop.services.prefect import Place
    from spanloop.services.supervisor import Stopped

    file = config or Path(os.environ.get("SPANLOOP_CONFIG") or DEFAULT_FILE)
    if not file.exists():
        _say(f"{file} is not here, so the deployments have no labels yet; 'spanloop init' writes it")
    plan = services.Plan(
        place=Place(home(), file.absolute().parent, os.environ),
        read_config=lambda: load_config(config),
        config_file=file.absolute(),
        host=prefect_host,
        port=prefect_port,
        with_argilla=argilla,
    )
    try:
        services.run(plan, _say, _show)
    except Stopped:
        _say("stopped before everything was up")


def _say(what: str) -> None:
    typer.echo(f"spanloop: {what}", err=True)


def _show(links: "Links") -> None:
    from spanloop.server.credentials import credentials_path, read_credentials

    typer.echo(f"Argilla  {links.argilla}")
    path = credentials_path(home())
    known = read_credentials(path)
    if known is not None and known.api_url == links.argilla.rstrip("/"):
        typer.echo(f"         user {known.username}, password in {path}")
    typer.echo(f"Prefect  {links.prefect}")
    for name, page in links.deployments.items():
        typer.echo(f"         {name}: {page}")
    typer.echo("Ctrl-C stops them all.")
