"""The command line: `spanloop COMMAND`. One module a command group; every import of weight happens inside a command."""

import os
import sys
from functools import cache
from typing import Annotated

import typer

from spanloop import __version__
from spanloop.errors import SpanloopError, first_line
from spanloop.processes.ports import past_proxies

app = typer.Typer(
    name="spanloop",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"spanloop {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """An active-learning loop for span annotation that a team can leave running."""


@cache
def register() -> None:
    """Attach the command groups to the application."""
    from spanloop.cli import (
        adopt,
        agreement,
        argilla,
        backup,
        demo,
        doctor,
        imports,
        init,
        labels,
        rehearse,
        report,
        review,
        run,
        simulate,
        store,
        up,
    )

    app.add_typer(argilla.app, name="argilla")
    app.command()(up.up)
    app.command()(up.worker)
    app.command()(run.run)
    app.command()(report.report)
    app.command()(agreement.agreement)
    app.add_typer(labels.app, name="labels")
    app.command()(review.review)
    app.add_typer(store.app, name="store")
    app.command()(store.rollback)
    app.command()(doctor.doctor)
    app.command()(adopt.adopt)
    app.command()(backup.backup)
    app.command()(backup.restore)
    app.command()(init.init)
    app.command("import")(imports.import_file)
    app.command()(simulate.simulate)
    app.command()(rehearse.rehearse)
    app.command()(demo.demo)


def main() -> None:
    """Run the command line; an expected error is one line on stderr and exit code 2."""
    os.environ.update(past_proxies(os.environ))
    register()
    try:
        try:
            app()
        finally:
            sys.stdout.flush()  # what is not written by now fails where nobody catches it
    except SpanloopError as error:
        print(f"spanloop: {error}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        what = error.filename or "a file, the working folder or the output"
        reason = error.strerror or first_line(error)
        print(f"spanloop: {what}: {reason}; check that it is there, its permissions and the disk", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # for what stdout still holds
        sys.exit(2)
