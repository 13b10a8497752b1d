"""The list of commands: one line each, imported from the module that holds it."""

import typer

from spanloop.cli import agreement, argilla, demo, imports, init, report, run, simulate, store, up


def register(app: typer.Typer) -> None:
    """Attach every command to the application.

    Args:
        app: The root application.
    """
    app.add_typer(argilla.app, name="argilla")
    app.command()(up.up)
    app.command()(up.worker)
    app.command()(run.run)
    app.command()(report.report)
    app.command()(agreement.agreement)
    app.add_typer(store.app, name="store")
    app.command()(store.rollback)
    app.command()(init.init)
    app.command("import")(imports.import_file)
    app.command()(simulate.simulate)
    app.command()(demo.demo)
