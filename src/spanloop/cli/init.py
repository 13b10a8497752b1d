"""`spanloop init`: a commented `spanloop.yaml` to fill in."""

from pathlib import Path
from typing import Annotated

import typer

from spanloop.errors import ConfigError
from spanloop.settings import DEFAULT_FILE


def init(
    labels: Annotated[str, typer.Option(help="Span labels, in the order annotators see them: a,b,c.")] = "",
    file: Annotated[Path, typer.Option(help="The file to write.")] = DEFAULT_FILE,
) -> None:
    """Write a commented spanloop.yaml; a file that is there is never overwritten."""
    from spanloop.cli.template import commented_yaml
    from spanloop.settings import load_config

    text = commented_yaml([label.strip() for label in labels.split(",") if label.strip()])
    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise ConfigError(f"{file} exists and stays as it is; edit it, or name another with --file") from None
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}; name another with --file") from None
    try:
        load_config(file, {})
    except ConfigError:
        file.unlink()
        raise
    step = "" if labels else "name your labels in it, then "
    typer.echo(f"wrote {file}; {step}'spanloop argilla start' and 'spanloop import FILE'")
