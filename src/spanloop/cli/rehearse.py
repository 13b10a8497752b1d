"""`spanloop rehearse FILE`: the loop played offline on annotated text, to choose a query strategy by what it saves."""

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spanloop.cli.imports import (
    DelimiterOption,
    EncodingOption,
    FormatOption,
    SpansOption,
    TextOption,
    named_columns,
    tell_notes,
)
from spanloop.cli.terminal import plain_console
from spanloop.config import LoopConfig
from spanloop.settings import load_config

if TYPE_CHECKING:
    from spanloop.importing import Table
    from spanloop.rehearsal.courses import Course
    from spanloop.rehearsal.curves import Interval
    from spanloop.rehearsal.plan import Plan, Shape
    from spanloop.rehearsal.play import Rehearsal, Told
    from spanloop.rehearsal.pools import Pools
    from spanloop.rehearsal.verdict import Verdict


@dataclass(frozen=True, slots=True)
class _Scale:
    """What is rehearsed unless the flags say otherwise."""

    rivals: tuple[str, ...]
    seeds: int
    steps: int
    until: float


_USUAL = _Scale(("mnlp", "least_confidence", "token_entropy"), seeds=3, steps=8, until=0.6)
_QUICK = _Scale(("least_confidence",), seeds=2, steps=3, until=0.4)
_HEAD = ("strategy", "F1", "90 %", "95 %", "99 %", "saved", "bias")
_LEGEND = (
    "Means over {seeds} seeds. F1: over the annotated words; 90 %: words annotated at that share of the whole pool's "
    "F1; saved: percent of the words that random order needs for 95 %, and its interval; bias: F1 that a round reports "
    "less that of the whole test split"
)

HeldOutOption = Annotated[str, typer.Option(metavar="FILE", help="Annotated text that judges the models.")]
ShareOption = Annotated[
    float, typer.Option(min=0.05, max=0.5, help="Without it: share of the documents of FILE that judges.")
]
StrategiesOption = Annotated[
    str,
    typer.Option(
        help="What is compared, e.g. random,mnlp,mnlp+cost=1; default: random order, the strategy of the "
        "configuration, and usual ones."
    ),
]
SeedsOption = Annotated[int | None, typer.Option(min=1, max=100, help=f"Repetitions; default: {_USUAL.seeds}.")]
StepsOption = Annotated[int | None, typer.Option(min=2, max=50, help=f"Points of a curve; default: {_USUAL.steps}.")]
StartOption = Annotated[float, typer.Option(min=0, max=0.5, help="Share of the words that is annotated first.")]
UntilOption = Annotated[float | None, typer.Option(min=0.05, max=1, help=f"The same, last; default: {_USUAL.until}.")]
ProcessesOption = Annotated[int, typer.Option(min=0, max=256, help="Trainings side by side; 0: one a processor.")]
QuickOption = Annotated[bool, typer.Option("--quick", help="A first look: fewer strategies, seeds, steps; no folds.")]


def rehearse(
    source: Annotated[str, typer.Argument(metavar="FILE", help="Annotated text, in any format that import reads.")],
    *,
    held_out: HeldOutOption = "",
    held_out_share: ShareOption = 0.25,
    strategies: StrategiesOption = "",
    seeds: SeedsOption = None,
    steps: StepsOption = None,
    start: StartOption = 0.02,
    until: UntilOption = None,
    processes: ProcessesOption = 0,
    quick: QuickOption = False,
    out: Annotated[Path | None, typer.Option(help="Folder of the results; default: rehearsal-FILE.")] = None,
    text: TextOption = "",
    id_columns: Annotated[str, typer.Option("--id", help="Column that identifies a record; several: a,b.")] = "",
    group: Annotated[str, typer.Option(help="Column with the document a record belongs to.")] = "",
    spans: SpansOption = "",
    kind: FormatOption = "",
    encoding: EncodingOption = "",
    delimiter: DelimiterOption = "",
    config: Annotated[Path | None, typer.Option(help="Configuration; default: spanloop.yaml.")] = None,
) -> None:
    """Play the loop on annotated text, with no servers, and see which strategy needs the fewest labels.

    Each strategy starts from a few records and asks for more, whose annotation the file has. Every model is judged on
    text that is never annotated. Interrupted at any point, the same command goes on; more strategies or seeds are
    added to what is there.
    """
    from spanloop.rehearsal.contenders import by_default, read_contenders
    from spanloop.rehearsal.plan import Shape
    from spanloop.rehearsal.play import Rehearsal, courses_of
    from spanloop.rehearsal.pools import read_pools

    scale = _QUICK if quick else _USUAL
    loop = load_config(config)
    loop.columns = named_columns(loop.columns, text=text, id_columns=id_columns, group=group, spans=spans)
    if quick:
        loop.training.folds = 0
    contenders = read_contenders(strategies or by_default(loop, scale.rivals), loop, Path.cwd())
    shape = Shape(start=start, until=until or scale.until, steps=steps or scale.steps)
    tables = [_open(name, loop, kind, encoding, delimiter) for name in (source, held_out) if name]
    pools = read_pools(tables[0], tables[1] if held_out else None, held_out_share, loop)
    folder = out or Path(f"rehearsal-{Path(source).stem or 'text'}{'-quick' * quick}")
    plan = _begin(folder.absolute(), loop, pools, shape)
    numbers = seeds or scale.seeds
    courses = courses_of(contenders, numbers, plan, loop.training, of_the_whole=1 if quick else numbers)
    _announce(plan, courses, quick)
    _play(Rehearsal(folder.absolute(), loop, plan, courses), processes)


def _open(name: str, loop: LoopConfig, kind: str, encoding: str, delimiter: str) -> "Table":
    from spanloop.importing import open_source

    table = open_source(name, kind, encoding=encoding, delimiter=delimiter, columns=loop.columns)
    tell_notes(table)
    return table


def _begin(folder: Path, loop: LoopConfig, pools: "Pools", shape: "Shape") -> "Plan":
    from spanloop.rehearsal.plan import make_plan, open_folder

    plan = make_plan(loop, pools, shape)
    open_folder(folder, plan, pools)
    return plan


def _announce(plan: "Plan", courses: "list[Course]", quick: bool) -> None:
    """What is going to be done, and what is not."""
    names = ", ".join(dict.fromkeys(course.contender.name for course in courses))
    steps, updates = sum(len(course.budgets) for course in courses), sum(course.left(0) for course in courses)
    typer.echo(f"{plan.records:,} records with {plan.words:,} words to choose from, {plan.judges:,} to judge on")
    typer.echo(f"{names}: {steps} models in {len(courses)} runs, about {updates:,} update steps")
    if quick:
        typer.echo(
            f"quick: no folds (probabilities stay uncalibrated, every span counts), {len(plan.budgets)} steps to "
            f"{plan.budgets[-1] / plan.words:.0%} of the words, few strategies and seeds; without --quick all of it"
        )


def _play(rehearsal: "Rehearsal", processes: int) -> None:
    from spanloop.model.device import available_cpus
    from spanloop.rehearsal.play import play

    with _resumable(rehearsal.folder), _progress() as told:
        verdict = play(rehearsal, processes or available_cpus(), told)
    _show(verdict, rehearsal.folder)


@contextmanager
def _resumable(folder: Path) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        again = shlex.join(["spanloop", *sys.argv[1:]])
        typer.echo(f"\nstopped; what is finished lies in {folder}, and this goes on from there: {again}", err=True)
        raise typer.Exit(130) from None


@contextmanager
def _progress() -> "Iterator[Told]":
    """A bar with the time that is left; where nobody watches, a line for every step."""
    from rich import progress as rich

    from spanloop.rehearsal.play import Headway
    from spanloop.rehearsal.step_results import StepResult

    console = plain_console(stderr=True)
    columns = (rich.TextColumn("{task.description}", markup=False), rich.BarColumn(), rich.MofNCompleteColumn())
    left = rich.TextColumn("{task.fields[left]}", markup=False)
    with rich.Progress(*columns, left, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("rehearsing", total=None, left="")

        def told(result: StepResult | None, headway: Headway) -> None:
            left = "" if headway.seconds_left is None else f"about {_duration(headway.seconds_left)} left"
            bar.update(task, completed=headway.done, total=headway.steps, left=left)
            if result and not console.is_terminal:
                step = f"{result.strategy}, seed {result.seed}: F1 {100 * result.f1:.1f} with {result.words:,} words"
                console.print(f"{step} ({headway.done} of {headway.steps} steps, {left})", soft_wrap=True)

        yield told


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 90 else f"{seconds / 3600:.1f} h"


def _show(verdict: "Verdict", folder: Path) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from spanloop.rehearsal.sheet import PICTURE
    from spanloop.rehearsal.verdict import SHARES

    seeds = sorted({standing.seeds for standing in verdict.standings.values()})
    legend = _LEGEND.format(seeds=" to ".join(str(count) for count in seeds[:: len(seeds) - 1 or 1]))
    table = Table(box=SIMPLE_HEAD, caption=legend, padding=(0, 1, 0, 0))
    for name in _HEAD:
        first = name == _HEAD[0]
        table.add_column(name, justify="left" if first else "right", no_wrap=first, overflow="fold")
    for name, standing in verdict.standings.items():
        costs = ("-" if (x := standing.words_to[share]) is None else f"{x:,.0f}" for share in SHARES)
        saved, bias = standing.saving.get("words"), standing.reported_minus_split
        off = "-" if bias is None else f"{100 * bias.mean:+.1f}"
        table.add_row(name, f"{100 * standing.auc:.1f}", *costs, _interval(saved, ".0f"), off)
    console = plain_console()
    if verdict.standings:
        console.print(table)
    if verdict.full_f1:
        own = verdict.full_split_f1 and f"; on its own test split {_interval(verdict.full_split_f1, '.1f')}"
        console.print(f"F1 of the whole pool: {_interval(verdict.full_f1, '.1f')}{own or ''}", soft_wrap=True)
    console.print(_advice(verdict), soft_wrap=True)
    console.print(f"picture, results.csv and summary.json: {(folder / PICTURE).as_uri()}", soft_wrap=True)


def _interval(found: "Interval | None", form: str) -> str:
    """In percent, with its interval where there is one."""
    if found is None:
        return "-"
    shown = f"{100 * found.mean:{form}}"
    if found.low is None or found.high is None:
        return shown
    return f"{shown} ({100 * found.low:{form}} to {100 * found.high:{form}})"


def _advice(verdict: "Verdict") -> str:
    """Which strategy to set, in a sentence."""
    best = next(iter(verdict.standings), None)
    if best is None:
        return "no strategy is through yet"
    strategy, *steps = best.split("+")
    how = f"selection.strategy: {strategy}" + (f", selection.steps: {{{', '.join(steps)}}}" if steps else "")
    others = [name for name in verdict.tied if name != best]
    tied = f"; so few seeds do not tell {', '.join(others)} from it" if others else ""
    return f"set {how.replace('=', ': ')}{tied}"
