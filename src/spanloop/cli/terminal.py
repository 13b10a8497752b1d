"""What is shown in a terminal: text as it is, whatever brackets stand in it, and bars for whoever watches."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table


def plain_console(*, stderr: bool = False) -> "Console":
    """A console without markup: a record may be called `scan[/p12]`, and a path may hold `[b]`."""
    from rich.console import Console

    return Console(stderr=stderr, markup=False, highlight=False)


def name_value_table(rows: Iterable[tuple[str, str]]) -> "Table":
    """Pairs of a name and its value, one a line."""
    from rich.table import Table

    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for name, value in rows:
        table.add_row(name, value)
    return table


def progress_bar(*, counts: bool) -> "Progress":
    """A bar on stderr that disappears when it is done; nothing where stderr is no terminal.

    Args:
        counts: Show how many of how many, and the time left; else the time since the start.
    """
    from rich import progress as rich

    console = plain_console(stderr=True)
    times = (rich.MofNCompleteColumn(), rich.TimeRemainingColumn()) if counts else (rich.TimeElapsedColumn(),)
    columns = (rich.TextColumn("{task.description}", markup=False), rich.BarColumn(), *times)
    return rich.Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


@contextmanager
def bar(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar that counts steps.

    Args:
        what: What is being done.
        total: How many steps it has.

    Yields:
        A function that is told the number of steps just made.
    """
    with progress_bar(counts=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda steps: progress.advance(task, steps)
