"""`spanloop doctor`: what is wrong, in a line each, and with `--repair` what is safe to mend."""

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spanloop.cli.door import find_prefect, open_argilla

if TYPE_CHECKING:
    from spanloop.doctor import Diagnosis


def doctor(
    config: Annotated[Path | None, typer.Option(help="Configuration; default: spanloop.yaml.")] = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Mend what is safe: nothing that people made is touched.")
    ] = False,
    notes: Annotated[bool, typer.Option(help="Say also what is good to know.")] = True,
) -> None:
    """Check everything that a round needs, from the configuration to the clock; exit code 2 if anything is wrong."""
    from spanloop.doctor import CHECKS, SetUp, examine

    logging.getLogger("spanloop").addHandler(logging.NullHandler())  # what is logged is said here in lines of its own
    found: list[Diagnosis] = []
    with SetUp(config, os.environ, open_argilla, find_prefect) as set_up:
        for diagnosis in examine(set_up, CHECKS, repair=repair):
            found.append(diagnosis)
            _say(diagnosis, notes)
    _conclude(found)


def _say(diagnosis: "Diagnosis", notes: bool) -> None:
    for done in diagnosis.repaired:
        typer.echo(f"repaired  {diagnosis.name}: {done}")
    for finding in diagnosis.findings:
        if finding.wrong or notes:
            typer.echo(f"{'wrong' if finding.wrong else 'note':8}  {diagnosis.name}: {finding.said}")


def _conclude(found: "list[Diagnosis]") -> None:
    for cause in dict.fromkeys(x.waits_for for x in found if x.waits_for):
        waiting = ", ".join(x.name for x in found if x.waits_for == cause)
        typer.echo(f"waits     {waiting}: looked at once {cause} is well")
    ill = [x.name for x in found if x.ill]
    if not ill:
        typer.echo(f"all well: {len(found)} checks")
        return
    mendable = any(x.repairable for x in found)
    way_out = "; 'spanloop doctor --repair' does what is safe" if mendable else ""
    typer.echo(
        f"spanloop: {len(ill)} of {len(found)} checks found something wrong: {', '.join(ill)}{way_out}", err=True
    )
    raise typer.Exit(2)
