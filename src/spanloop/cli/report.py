"""`spanloop report`: every round in one table, and the learning curve as a picture."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spanloop.cli.terminal import name_value_table, plain_console
from spanloop.config import LoopConfig
from spanloop.errors import ConfigError, StoreError
from spanloop.settings import load_config

if TYPE_CHECKING:
    from spanloop.rounds.report import RoundReport


def report(
    config: Annotated[Path | None, typer.Option(help="Configuration; default: spanloop.yaml.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Write the learning curve to this file (.svg).")] = None,
) -> None:
    """Show what each round had, what its model scores and what annotators kept of its suggestions."""
    if plot and plot.suffix.lower() != ".svg":
        raise ConfigError(f"--plot {plot}: the picture is an SVG; name the file {plot.with_suffix('.svg').name}")
    show_rounds(load_config(config), plot)


def show_rounds(config: LoopConfig, plot: Path | None) -> None:
    """Print the table of rounds.

    Args:
        config: Names the store.
        plot: Where to draw the learning curve; None: nowhere.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from spanloop.reports.history import HEADER, LEGEND, history, rows
    from spanloop.reports.learning_curve import learning_curve
    from spanloop.rounds.work import last_round
    from spanloop.store import Store

    store = Store(config.store)
    entries = history(store)
    if not entries:
        typer.echo(f"no round yet in {store.root}; 'spanloop run' makes the first")
        return
    table = Table(
        title=f"Rounds in {store.root}", title_justify="left", box=SIMPLE_HEAD, caption=LEGEND, padding=(0, 1, 0, 0)
    )
    for name in HEADER:
        table.add_column(name, justify="left" if name in ("round", "outcome") else "right", no_wrap=True)
    for row in rows(entries):
        table.add_row(*row)
    plain_console().print(table)
    last = last_round(store)
    _show_outlook(last)
    if plot:
        _draw(plot, learning_curve(entries, last.figures.outlook.curve if last and last.figures else ()))


def _show_outlook(last: "RoundReport | None") -> None:
    """When to stop, as the last round saw it."""
    from spanloop.reports.advice import outlook_rows

    if last and (rows := outlook_rows(last)):
        plain_console().print(name_value_table(rows))


def _draw(plot: Path, picture: str) -> None:
    try:
        plot.write_text(picture, encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{plot} cannot be written: {error.strerror}; choose another place") from None
    typer.echo(f"learning curve: {plot}")
