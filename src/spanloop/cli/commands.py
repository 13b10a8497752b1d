"""The list of commands: one line each, imported from the module that holds it."""

import typer


def register(app: typer.Typer) -> None:
    """Attach every command to the application.

    Args:
        app: The root application.
    """
