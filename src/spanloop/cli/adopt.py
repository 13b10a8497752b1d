"""`spanloop adopt`: the store takes the dataset over, whoever had it."""

from pathlib import Path
from typing import Annotated

import typer

from spanloop.cli.door import open_argilla
from spanloop.settings import load_config


def adopt(
    config: Annotated[Path | None, typer.Option(help="Configuration; default: spanloop.yaml.")] = None,
) -> None:
    """Let this store take the Argilla dataset over from another one, or from a copy of itself. Safe to repeat."""
    from spanloop.argilla.dataset import find_dataset
    from spanloop.rounds.holding import take_over
    from spanloop.rounds.work import now
    from spanloop.store import Store

    loop = load_config(config)
    store = Store(loop.store)
    with store.lock("adopt"), open_argilla(loop) as client:
        dataset = find_dataset(client, loop)
        before = take_over(store, client, dataset, now())
    if not before:
        typer.echo(f"dataset {dataset.name!r} belongs to store {store.id[:8]} ({store.root}) already")
        return
    typer.echo(f"dataset {dataset.name!r} belongs to store {store.id[:8]} ({store.root}) now; before to {before}")
    typer.echo(
        "models are numbered above those whose suggestions are there; the next round "
        + ("keeps those" if loop.argilla.foreign_suggestions == "keep" else "replaces those")
    )
