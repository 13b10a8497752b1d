"""`spanloop labels`: what the options in Argilla mean for the project; `labels move`: to a dataset with others."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spanloop.cli.door import open_argilla
from spanloop.cli.terminal import bar, plain_console
from spanloop.settings import load_config

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from spanloop.argilla.meanings import Meanings
    from spanloop.config import LoopConfig
    from spanloop.records import Record

ConfigOption = Annotated[Path | None, typer.Option(help="Configuration; default: spanloop.yaml.")]

app = typer.Typer(help="Show, and change in the middle of a project, which labels there are.")


@app.callback(invoke_without_command=True)
def labels(context: typer.Context, config: ConfigOption = None) -> None:
    """Show the options in Argilla, what they mean, the spans that annotators marked, and a way for every difference."""
    if context.invoked_subcommand:
        context.obj = config
        return
    from spanloop.argilla.dataset import dataset_as_it_is
    from spanloop.argilla.meanings import meanings_of
    from spanloop.argilla.pull import pull_submitted

    loop = load_config(config)
    with open_argilla(loop) as client:
        dataset = dataset_as_it_is(client, loop)
        marked = _marked(pull_submitted(client, dataset))
    meanings, differences = meanings_of(dataset.labels, loop.task)
    plain_console().print(_table(dataset.name, dataset.labels, meanings, marked, loop.task.labels))
    for way in [*differences.ways(), *_of_the_model(loop)]:
        typer.echo(way)
    if not any((differences.options, differences.labels)):
        typer.echo("every label has its option; renaming, merging and leaving out go by task.mapping in spanloop.yaml,")
        typer.echo("a label more: add it to task.labels, then 'spanloop labels move NEW_DATASET'")


def _of_the_model(loop: "LoopConfig") -> "Iterator[str]":
    """What to do about labels of the model in service that mean nothing by now."""
    from spanloop.model.folder import ModelFolder
    from spanloop.rounds.relabelling import unused_labels
    from spanloop.store import Store

    store = Store(loop.store)
    if champion := store.champion():
        known = ModelFolder.read(store.path("models", champion)).scheme.labels
        yield from unused_labels(champion, known, loop.task)


def _marked(records: "Iterable[Record]") -> Counter[str]:
    """Submitted spans by option."""
    return Counter(span.label for record in records for response in record.submitted for span in response.spans)


def _table(
    dataset: str, options: "Iterable[str]", meanings: "Meanings", marked: Counter[str], wanted: list[str]
) -> object:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table("option in Argilla", "label", title=f"Dataset {dataset}", title_justify="left", box=SIMPLE_HEAD)
    table.add_column("spans", justify="right")
    for option in options:
        label = meanings.labels.get(option)
        table.add_row(option, {None: "?", "": "left out"}.get(label, label), str(marked[option]))
    for label in wanted:
        if label not in meanings.options:
            table.add_row("none yet", label, "0")
    return table


@app.command("move")
def move_labels(
    context: typer.Context,
    new_dataset: Annotated[str, typer.Argument(metavar="NEW_DATASET", help="Name of the dataset that is made.")],
    config: ConfigOption = None,
) -> None:
    """Copy the dataset to a new one with the labels of the configuration: records, all responses, suggestions.

    The old one stays as it is. Safe to repeat: after a kill the copy goes on.
    """
    from spanloop.argilla.dataset import dataset_as_it_is
    from spanloop.importing.moving import move_dataset

    loop = load_config(config or context.obj)
    with open_argilla(loop) as client:
        total = client.get(f"datasets/{dataset_as_it_is(client, loop).id}/progress")["total"]
        with bar("moving", total) as advance:
            moved = move_dataset(client, loop, new_dataset, advance)
    typer.echo(
        f"{new_dataset}: {moved.records} records with {moved.responses} responses and {moved.spans} spans, as in "
        f"{loop.argilla.dataset} ({moved.created} created now)"
    )
    for option, spans in moved.left_out.items():
        typer.echo(f"left out, as task.mapping says: {spans} spans of {option}")
    typer.echo(
        f"set this in spanloop.yaml, under argilla: 'dataset: {new_dataset}'; then 'spanloop adopt' lets the store"
    )
    typer.echo("go on with it, and the next round says where to annotate")
