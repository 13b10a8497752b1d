"""`spanloop backup` and `spanloop restore`: a copy of everything, made while it is in use, and the way back."""

from pathlib import Path
from typing import Annotated

import typer

from spanloop.settings import home, load_config
from spanloop.store import Store

ConfigOption = Annotated[Path | None, typer.Option(help="Configuration; default: spanloop.yaml.")]


def backup(
    folder: Annotated[Path, typer.Argument(help="Where it goes: a folder that is not there yet.")],
    config: ConfigOption = None,
) -> None:
    """Copy the store and the local Argilla, passwords included; rounds and annotators go on meanwhile."""
    from spanloop.services.backup import back_up

    found = back_up(Store(load_config(config).store), home(), folder.absolute())
    typer.echo(f"{folder} holds {' and '.join(found)}; keep it as safe as a password")


def restore(
    folder: Annotated[Path, typer.Argument(help="A folder that 'spanloop backup' wrote.")],
    config: ConfigOption = None,
) -> None:
    """Put a backup back, where there is no store and no local Argilla."""
    from spanloop.services.backup import restore as put_back

    parts = put_back(folder.absolute(), Store(load_config(config).store), home())
    typer.echo(f"restored {' and '.join(parts)}")
