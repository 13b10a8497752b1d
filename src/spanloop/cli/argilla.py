"""`spanloop argilla start | stop | status | logs`: the real Argilla on this machine, without Docker."""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from spanloop.cli.terminal import progress_bar
from spanloop.settings import home

if TYPE_CHECKING:
    from spanloop.installing.output import Progress

app = typer.Typer(help="The local Argilla server: start, stop, status, logs.", no_args_is_help=True)


@app.command()
def start(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 lets other machines in.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 6900,
) -> None:
    """Start Argilla, which goes on in the background; the first start sets it up and prints the password once."""
    from spanloop.argilla.credentials import credentials_path
    from spanloop.local_argilla import process
    from spanloop.processes.ports import LOOPBACK

    with show_progress() as progress:
        running = process.start(home(), host, port, progress=progress)
    if not running.fresh:
        typer.echo(f"Argilla already runs at {running.url} (process {running.pid})")
        return
    typer.echo(f"Argilla runs at {running.url} (process {running.pid}); 'spanloop argilla stop' ends it")
    typer.echo(f"  username  {running.username}")
    kept = credentials_path(home())
    if running.first:
        typer.echo(f"  password  {running.password}   (shown this once; kept with the API key in {kept})")
    else:
        typer.echo(f"  password  in {kept}")
    if host not in LOOPBACK:
        typer.echo(f"  other machines reach it on port {port}; traffic is not encrypted")


@app.command()
def stop() -> None:
    """Stop Argilla; everything that was annotated stays."""
    from spanloop.local_argilla import process

    typer.echo("Argilla stopped" if process.stop(home()) else "Argilla does not run")


@app.command()
def status() -> None:
    """Say whether Argilla runs, where, since when, and with how many records; exit code 1 when it does not run."""
    from spanloop.local_argilla import process

    seen = process.status(home())
    if seen.pid is None:
        typer.echo("Argilla does not run; 'spanloop argilla start' starts it")
        raise typer.Exit(1)
    typer.echo(f"url      {seen.url}")
    typer.echo(f"state    {seen.health}")
    typer.echo(f"process  {seen.pid}")
    typer.echo(f"since    {seen.since}")
    if seen.records is not None:
        typer.echo(f"records  {seen.records:,} ({seen.completed:,} completed)")


@app.command()
def logs(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as lines are added, until Ctrl-C.")] = False,
    last: Annotated[int, typer.Option("--last", "-n", min=0, help="Lines from the end; 0: all.")] = 100,
) -> None:
    """Show Argilla's log."""
    from spanloop.local_argilla.log import read_log

    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        for line in read_log(home(), last, follow=(lambda: True) if follow else None):
            typer.echo(line)


@contextlib.contextmanager
def show_progress() -> Iterator["Progress"]:
    """A progress bar on stderr that disappears when it is done; a line a step where nobody watches."""
    with progress_bar(counts=False) as bar:
        task = bar.add_task("Argilla", total=1.0)
        said: set[str] = set()

        def tell(what: str, share: float) -> None:
            bar.update(task, description=what, completed=share)
            if not bar.console.is_terminal and what not in said and not what.startswith("fetching"):
                bar.console.print(f"{what} ...")
            said.add(what)

        yield tell
