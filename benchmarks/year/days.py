"""The days of the year: people work, a round runs, everything is measured, and all becomes a day older."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil

from benchmarks.year.ageing import age_files, age_prefect
from benchmarks.year.project import Project
from benchmarks.year.services import Services, usage
from benchmarks.year.sizes import Places, rows, sizes
from spanloop.rounds.holding import take_over
from spanloop.rounds.work import last_round, now
from spanloop.store import Store

Day = dict[str, Any]
_IMPORT_EVERY, _DELETE_EVERY = 4, 10  # days
_MB = 1e6


@dataclass(frozen=True, slots=True)
class Calendar:
    """What happens on which days.

    Attributes:
        submitted: Records that the annotator submits a day.
        deployed_every: Days from one round of the deployment to the next; the others run in this process.
        idle_every: Days from one look of a round at a project with nothing new to the next.
        redeployed_every: Days from one change of `spanloop.yaml` to the next, each of which `up` deploys.
        aged_every: Days from one ageing to the next, by so many days.
    """

    submitted: int = 3
    deployed_every: int = 20
    idle_every: int = 10
    redeployed_every: int = 25
    aged_every: int = 5


def live(
    project: Project,
    places: Places,
    calendar: Calendar,
    days: range,
    *,
    services: Services | None = None,
    file: Path | None = None,
) -> Iterator[Day]:
    """Live through days.

    Args:
        project: The loop.
        places: What is measured.
        calendar: What happens.
        days: Which days.
        services: Run what is deployed; None: every round runs in this process.
        file: `spanloop.yaml`, to be touched now and then.

    Yields:
        What was measured after each day's round.
    """
    for day in days:
        _work(project, calendar, day)
        if file and not day % calendar.redeployed_every:
            file.touch()
        before, began = _usage(services), time.perf_counter()
        deployed = services if not day % calendar.deployed_every else None
        failed = _tried(deployed.run_deployment if deployed else lambda: _run(project))
        wall, after = time.perf_counter() - began, _usage(services)
        cpu = {name: round(seen["cpu"] - before[name]["cpu"], 2) for name, seen in after.items() if name in before}
        if not day % calendar.idle_every:
            failed = failed or _tried(lambda: _run(project))
        about = {"day": day, "deployed": bool(deployed), "failed": failed, "wall": round(wall, 2), "cpu": cpu}
        yield about | _measured(places, after)
        if not day % calendar.aged_every:
            for root in (places.home, places.store, places.scratch, places.caches):
                age_files(root, calendar.aged_every)
            age_prefect(places.prefect, calendar.aged_every)


def without_history(project: Project, folder: Path, days: range, submitted: int) -> list[float]:
    """Rounds of a new store that takes the same dataset over, in this process: the same records, no past.

    Returns:
        Processor seconds of each round.
    """
    fresh = replace(project, config=project.config.model_copy(update={"store": str(folder)}))
    store = Store(folder)
    with store.lock("adopt"):
        take_over(store, fresh.client, fresh.dataset, now())
    seconds = []
    for day in days:
        _work(fresh, Calendar(submitted), day)
        began = _own_cpu()
        _run(fresh)
        seconds.append(round(_own_cpu() - began, 2))
    return seconds


def _work(project: Project, calendar: Calendar, day: int) -> None:
    """What people do on a day: as many records are imported as are submitted and deleted."""
    if not day % _IMPORT_EVERY:
        project.grow(day, calendar.submitted * _IMPORT_EVERY + 1)
    if not day % _DELETE_EVERY:
        project.delete_one()
    project.annotate(calendar.submitted)


def _tried(run: Callable[[], None]) -> str:
    """Run, and say why it failed: a year goes on, and the next round takes up what one that failed has left."""
    try:
        run()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _run(project: Project) -> None:
    from flows.active_learning import active_learning

    active_learning(project.config)


def _measured(places: Places, usage_now: dict[str, dict[str, float]]) -> Day:
    report = last_round(Store(places.store))
    if report is None or report.figures is None:
        raise RuntimeError("the round left no record")
    found, figures = sizes(places), report.figures
    return {
        "round": report.round,
        "outcome": report.outcome,
        "champion": report.champion,
        "records": figures.pull.records,
        "submitted": figures.pull.submitted,
        "steps": {name: round(seconds, 3) for name, seconds in figures.seconds.items()},
        "mb": {name: round(size / _MB, 4) for name, (size, _) in found.items()},
        "files": {name: files for name, (_, files) in found.items()},
        "rss_mb": {name: round(seen["rss_mb"], 1) for name, seen in usage_now.items()},
        "open_files": {name: int(seen["open_files"]) for name, seen in usage_now.items()},
        "rows": {"prefect": rows(places.prefect), "argilla": rows(places.argilla_database)},
    }


def _usage(services: Services | None) -> dict[str, dict[str, float]]:
    return {"this process": usage(psutil.Process())} | (services.usage() if services else {})


def _own_cpu() -> float:
    return usage(psutil.Process())["cpu"]
