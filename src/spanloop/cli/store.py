"""`spanloop store list | verify | prune | pin | unpin`, `spanloop rollback`: look after what the rounds published."""

from pathlib import Path
from typing import Annotated

import typer

from spanloop.cli.terminal import plain_console
from spanloop.errors import StoreError
from spanloop.settings import load_config
from spanloop.store import KINDS, Kind, Store, verify_all

ConfigOption = Annotated[Path | None, typer.Option(help="Configuration; default: spanloop.yaml.")]

app = typer.Typer(help="Look after the store: what is in it, and whether it is whole.", no_args_is_help=True)


@app.command("list")
def list_artifacts(config: ConfigOption = None) -> None:
    """List snapshots, models and rounds, with their size and the model in service."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from spanloop.store.pruning import pins

    store = Store(load_config(config).store)
    champion, previous = store.champion(), store.previous_champion()
    marks = {previous: "was in service before", champion: "in service"}
    table = Table(title=f"Store {store.root}", title_justify="left", box=SIMPLE_HEAD)
    for name, justify in (("kind", "left"), ("name", "left"), ("MB", "right"), ("", "left")):
        table.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    pinned = pins(store)
    for kind in KINDS:
        for name in store.names(kind):
            said = [marks.get(name, ""), "pinned" if name in pinned else ""]
            table.add_row(kind[:-1], name, _megabytes(store, kind, name), ", ".join(filter(None, said)))
    if not table.row_count:
        typer.echo(f"the store {store.root} is empty; 'spanloop run' makes the first round")
        return
    plain_console().print(table)


@app.command()
def verify(config: ConfigOption = None) -> None:
    """Compare every file with the hash it was published with; exit code 2 if one is missing or was changed."""
    store = Store(load_config(config).store)
    report = verify_all(store)
    problems = {what: problem for what, problem in report.items() if problem}
    for what, problem in problems.items():
        typer.echo(f"{what}: {problem}", err=True)
    if problems:
        raise StoreError(f"{len(problems)} of {len(report)} checks of {store.root} failed: {', '.join(problems)}")
    typer.echo(f"all well: {len(report) - 1} artifacts in {store.root}, champion {store.champion() or 'none yet'}")


@app.command()
def prune(
    config: ConfigOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go, and remove nothing.")] = False,
) -> None:
    """Remove what `retention` in the configuration does not keep; every round begins with that."""
    from spanloop.store import pruning

    loop = load_config(config)
    store = Store(loop.store)
    going = pruning.unneeded(store, loop.retention)
    for each in going:
        typer.echo(f"{each.path.relative_to(store.root)}  {each.bytes / 1e6:.1f} MB")
    room = sum(each.bytes for each in going) / 1e6
    if dry_run or not going:
        typer.echo(f"{len(going)} things would go, {room:.1f} MB")
        return
    with store.lock("prune"):
        pruning.prune(store, loop.retention)
    typer.echo(f"{len(going)} things are gone, {room:.1f} MB")


@app.command()
def pin(name: Annotated[str, typer.Argument(help="A snapshot, model or round.")], config: ConfigOption = None) -> None:
    """Keep an artifact for good, whatever `retention` says."""
    from spanloop.store import pruning

    pruning.pin(Store(load_config(config).store), name)
    typer.echo(f"{name} is kept")


@app.command()
def unpin(name: Annotated[str, typer.Argument(help="What was pinned.")], config: ConfigOption = None) -> None:
    """Keep an artifact no longer than `retention` says."""
    from spanloop.store import pruning

    pruning.pin(Store(load_config(config).store), name, keep=False)
    typer.echo(f"{name} is kept as long as retention says")


def rollback(config: ConfigOption = None) -> None:
    """Put the model that was in service before the champion back into service."""
    store = Store(load_config(config).store)
    if not store.root.is_dir():
        raise StoreError(f"{store.root} does not exist; the first 'spanloop run' makes it")
    with store.lock("rollback"):
        was = store.champion()
        now = store.roll_back()
    typer.echo(f"{now} is in service again, {was} no longer; the next 'spanloop run' writes the suggestions of {now}")


def _megabytes(store: Store, kind: Kind, name: str) -> str:
    try:
        files = store.manifest(kind, name)["files"]
    except StoreError:
        return "corrupt"
    return f"{sum(entry['bytes'] for entry in files.values()) / 1e6:.1f}"
