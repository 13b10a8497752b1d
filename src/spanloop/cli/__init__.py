"""The command line: `spanloop COMMAND`. One module a command group; every import of weight happens inside a command."""

import sys
from functools import cache

import typer

from spanloop.errors import SpanloopError

app = typer.Typer(
    name="spanloop",
    help="An active-learning loop for span annotation that a team can leave running.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)


@cache
def register() -> None:
    """Attach the command groups to the application."""
    from spanloop.cli import commands

    commands.register(app)


def main() -> None:
    """Run the command line; an expected error is one line on stderr and exit code 2."""
    register()
    try:
        app()
    except SpanloopError as error:
        print(f"spanloop: {error}", file=sys.stderr)
        sys.exit(2)
