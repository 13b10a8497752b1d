"""`spanloop run`: one round by hand, through the same flow that the schedule runs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spanloop.cli.door import ready_prefect
from spanloop.cli.terminal import name_value_table, plain_console
from spanloop.config import LoopConfig
from spanloop.errors import ServiceError
from spanloop.settings import load_config

if TYPE_CHECKING:
    from spanloop.rounds.report import RoundReport


def run(
    config: Annotated[Path | None, typer.Option(help="Configuration; default: spanloop.yaml.")] = None,
    again: Annotated[
        bool, typer.Option("--again", "--force", help="Run also when nothing is new since the last round.")
    ] = False,
) -> None:
    """Run one round: pull, snapshot, train, evaluate, gate, score, log. Ends in seconds when nothing is new."""
    loop = load_config(config)
    _show((None if again else _nothing_new(loop)) or _round(loop, again))


def _nothing_new(config: LoopConfig) -> "RoundReport | None":
    """The report of a round that would change nothing, found without starting Prefect; None if there is work."""
    from spanloop.argilla.connection import connect, needs_prefect
    from spanloop.rounds.outside import look_from_outside

    if needs_prefect(config):
        return None
    with connect(config) as client:
        return look_from_outside(config, client)


def _round(config: LoopConfig, again: bool) -> "RoundReport":
    ready_prefect()
    from flows.active_learning import active_learning

    try:
        return active_learning(config, again=again)
    except RuntimeError as error:
        if "ephemeral Prefect" not in str(error):
            raise
        way_out = "run again when the machine is less busy, or set PREFECT_API_URL to a server that runs"
        raise ServiceError(f"the temporary Prefect server did not start; {way_out}") from None


def _show(report: "RoundReport") -> None:
    from rich.text import Text

    from spanloop.reports.summary import summary_rows

    console = plain_console()
    if report.outcome != "nothing new":
        console.rule(f"round {report.round}", align="left")
    console.print(name_value_table(summary_rows(report)))
    console.print(Text.assemble(("annotate", "bold"), "  ", report.queue_link), soft_wrap=True)
