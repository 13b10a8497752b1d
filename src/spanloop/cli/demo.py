"""`spanloop demo`: the whole loop on real text, with a simulated annotator in the place of people."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spanloop.cli.argilla import show_progress
from spanloop.cli.door import open_argilla, ready_prefect
from spanloop.cli.simulate import AnchoringOption
from spanloop.cli.terminal import bar
from spanloop.config import LoopConfig
from spanloop.settings import home, load_config

if TYPE_CHECKING:
    from spanloop.local_argilla.process import Running
    from spanloop.rehearsal.material import Material

_RECORDS_A_ROUND = 3  # the pool is this many times what is annotated, so that there is something to choose from


@dataclass(frozen=True, slots=True)
class _Stage:
    """Where one demonstration takes place."""

    folder: Path
    config: LoopConfig
    material: "Material"


def demo(
    data: Annotated[Path | None, typer.Option(help="Annotated text instead of CoNLL-2003.")] = None,
    rounds: Annotated[int, typer.Option(min=1, max=50, help="Rounds with new annotations.")] = 4,
    records: Annotated[int, typer.Option(min=10, max=5000, help="Records annotated before each of them.")] = 125,
    anchoring: AnchoringOption = 0.0,
    keep: Annotated[bool, typer.Option("--keep", help="Leave Argilla running at the end.")] = False,
) -> None:
    """Run the loop on real text; a SIMULATED annotator, working through Argilla's REST API, stands in for people."""
    begun = time.monotonic()
    with _argilla(keep) as running:
        stage = _set_up(running, data, most=rounds * records * _RECORDS_A_ROUND)
        for number in range(rounds + 1):
            if number:
                _annotate(stage, records, anchoring)
            _round(stage)
        _conclude(stage, running, keep, time.monotonic() - begun)


@contextmanager
def _argilla(keep: bool) -> Iterator["Running"]:
    """The local Argilla; one that the demo started is stopped at the end, unless it is to be kept."""
    from spanloop.local_argilla import process
    from spanloop.processes.ports import free_port, is_free

    with show_progress() as progress:
        port = process.PORT if is_free("127.0.0.1", process.PORT) else free_port()
        running = process.start(home(), port=port, progress=progress)
    typer.echo(f"Argilla runs at {running.url}")
    try:
        yield running
    finally:
        if running.fresh and not keep:
            process.stop(home())


def _set_up(running: "Running", data: Path | None, most: int) -> _Stage:
    """Fetch the text, write a configuration, import; everything lies in one new folder."""
    from spanloop.argilla.dataset import ensure_dataset
    from spanloop.importing import open_source, parse_records
    from spanloop.importing.upload import import_records
    from spanloop.rehearsal.corpus import conll2003
    from spanloop.rehearsal.material import hold_back, write_config

    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    folder = home() / "demo" / stamp
    folder.mkdir(parents=True)
    source = data or conll2003(home() / "demo")
    material = hold_back(source, folder, most)
    write_config(folder / "spanloop.yaml", running.url, f"demo-{stamp}", material.labels)
    config = load_config(folder / "spanloop.yaml")
    with open_argilla(config) as client, bar("importing", len(material.gold)) as advance:
        dataset = ensure_dataset(client, config)
        import_records(
            client, dataset, parse_records(open_source(str(material.texts)), config), config, progress=advance
        )
    typer.echo(f"{len(material.gold):,} texts of {source.name} are in Argilla, labels {', '.join(material.labels)}")
    return _Stage(folder, config, material)


def _annotate(stage: _Stage, count: int, anchoring: float) -> None:
    """Let the simulated annotator take the first records of its queue."""
    from spanloop.argilla.dataset import find_dataset
    from spanloop.rehearsal.annotator import PREFIX, SimulatedAnnotator, simulated_annotators
    from spanloop.rehearsal.mistakes import Habits

    with open_argilla(stage.config) as owner:
        dataset = find_dataset(owner, stage.config)
        (client,) = simulated_annotators(owner, dataset, 1)
        with client, bar(f"{PREFIX}1", count) as advance:
            worker = SimulatedAnnotator(client, dataset, stage.material.gold, Habits(anchoring=anchoring))
            done = worker.annotate(count, advance)
    typer.echo(f"the simulated annotator submitted {done.submitted} records")


def _round(stage: _Stage) -> None:
    """One round, through the same flow that the schedule runs."""
    ready_prefect()
    from flows.active_learning import active_learning
    from spanloop.reports.advice import advice

    report = active_learning(stage.config)
    seconds = sum(report.figures.seconds.values()) if report.figures else 0.0
    typer.echo(f"round {report.round}: {report.outcome}, {report.reason} ({seconds:.0f} s)")
    if sentence := advice(report):
        typer.echo(f"  {sentence}")


def _conclude(stage: _Stage, running: "Running", keep: bool, seconds: float) -> None:
    """One table, the picture, the two links."""
    from spanloop.argilla.dataset import find_dataset
    from spanloop.argilla.links import queue_link
    from spanloop.cli.report import show_rounds

    picture = stage.folder / "learning-curve.svg"
    show_rounds(stage.config, picture)
    with open_argilla(stage.config) as client:
        link = queue_link(client.url, find_dataset(client, stage.config).id)
    stays = keep or not running.fresh
    state = "running" if stays else "stopped now; 'make demo KEEP=1' leaves it running"
    typer.echo(f"\nannotators' queue  {link}  ({state})")
    typer.echo(f"learning curve     {picture.as_uri()}")
    if stays:
        program = Path(sys.argv[0]).absolute()
        typer.echo(f"log in as {running.username}; the password is in {home() / 'argilla' / 'credentials.json'}")
        typer.echo(f"go on by hand      cd {stage.folder} && SPANLOOP_HOME={home()} {program} run")
    typer.echo(f"{seconds:.0f} s in all")
