"""A year in fast motion: a round a day of a tiny model with retention on, and what store, Prefect and logs come to.

    python -m benchmarks.year --out year.json            # 400 rounds: an hour on an idle machine; year.svg beside it
    python -m benchmarks.year --out year.json --quick    # 40 rounds; a tenth of the rounds and of the runs is kept

The real Argilla, and a real Prefect server with its worker, run under `spanloop up` in a temporary folder. Every 20th
round is a run of the deployment, as a schedule makes it; the others are runs of the same flow on the same server in
this process, which spares each the start of Python. Every five days everything is made five days older (`ageing`).
"""

import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any

from benchmarks.options import make_parser
from benchmarks.report import table, write_report
from benchmarks.year.services import Services, surroundings
from spanloop.config import RetentionConfig
from spanloop.reports.chart import Line, Mark, chart

if TYPE_CHECKING:
    from benchmarks.year.days import Day

_ROUNDS, _QUICK = 400, 40
_FIRST = 200  # records before the first round
_AT_FIRST = 100  # of which so many are submitted
_CONTROL = 12  # rounds of a new store over the same records: as many as the outlook and the gate look back, and some
_EVERY = 10  # rounds from one writing of the file to the next


def main() -> None:
    """Run it."""
    parser = make_parser("year", __doc__, f"{_QUICK} rounds, and a tenth of the default retention")
    parser.add_argument("--rounds", type=int, default=_ROUNDS, help=f"rounds; default {_ROUNDS}")
    options = parser.parse_args()
    rounds, kept = options.rounds, RetentionConfig()
    if options.quick:
        rounds, kept = _QUICK, RetentionConfig(rounds=10, run_days=9)
    with tempfile.TemporaryDirectory(prefix="spanloop-year-", ignore_cleanup_errors=True) as folder:
        days, control = run_year(Path(folder), rounds, kept, options.out.absolute())
    report(options.out, days, control)


def run_year(folder: Path, rounds: int, kept: RetentionConfig, out: Path) -> tuple[list["Day"], list[float]]:
    """Live through the year, and then through some days without its history.

    Args:
        folder: Holds everything.
        rounds: One a day.
        kept: For how long what is kept.
        out: Where what was measured so far is written now and then.

    Returns:
        What was measured each day, and the processor seconds of rounds over the same records without a past.
    """
    from spanloop.processes.ports import free_port

    home, scratch, caches = (folder / name for name in ("home", "tmp", "caches"))
    for made in (home, scratch, caches):
        made.mkdir()
    environ = surroundings(home, scratch, caches)
    os.environ.clear()
    os.environ.update(environ)
    from benchmarks.year.project import Language, configuration, write_encoder

    language = Language()
    encoder, url = write_encoder(folder / "encoder", language), f"http://127.0.0.1:{free_port()}"
    config = configuration(url, "year", folder / "store", encoder).model_copy(update={"retention": kept})
    file = folder / "spanloop.yaml"
    file.write_text(json.dumps(config.model_dump(mode="json")), encoding="utf-8")  # JSON is YAML
    with Services(folder, home, environ, free_port()) as services:
        os.environ["PREFECT_API_URL"] = services.api_url
        from benchmarks.year.days import Calendar, live, without_history
        from benchmarks.year.project import Project
        from benchmarks.year.sizes import Places

        project = Project.begin(config, language, _FIRST)
        project.annotate(_AT_FIRST)
        database = home / "prefect" / "prefect.db"
        places, days = Places(folder / "store", home, home, database, scratch, caches), list["Day"]()
        for day in live(project, places, Calendar(), range(1, rounds + 1), services=services, file=file):
            days.append(day)
            _say(day)
            if not len(days) % _EVERY:
                report(out, days, [])
        control = without_history(
            project, folder / "fresh", range(rounds + 1, rounds + 1 + _CONTROL), Calendar().submitted
        )
    return days, control


def report(out: Path, days: Sequence["Day"], control: Sequence[float]) -> None:
    """Write the figures and the picture, and print what there was at a few rounds."""
    parts = {name: [day["mb"][name] for day in days] for name in days[-1]["mb"]}
    shown = {name: line for name, line in parts.items() if max(line) >= 0.005}
    seconds = {name: [day["cpu"].get(name, 0.0) for day in days] for name in days[-1]["cpu"]}
    out.with_suffix(".svg").write_text(_picture(shown), encoding="utf-8")
    write_report(out, {"days": list(days), "cpu_without_history": list(control)})
    if not control:
        return
    at = sorted({min(n, len(days)) for n in (10, 50, 100, 200, 300, len(days))})
    print(table(["MB", *map(str, at)], [[name, *(line[n - 1] for n in at)] for name, line in shown.items()]))
    inside = [day for day in days if not day["deployed"]]
    spans = [(max(0, n - 10), n) for n in at]
    print(table(["processor seconds", *map(str, at)], [_mean_cpu(name, inside, spans) for name in seconds]))
    print(f"{sum(bool(day['failed']) for day in days)} of {len(days)} days with a run that failed")
    print(f"rounds of a new store over the same records: {', '.join(map(str, control))} processor seconds")


def _picture(sizes: Mapping[str, Sequence[float]]) -> str:
    """What each part has after each round, as a share of the most that it ever had: what is bounded becomes flat."""
    lines = []
    for name, line in sizes.items():
        marks = [Mark(day, mb / max(line), f"{name}: {mb:.2f} MB", radius=0) for day, mb in enumerate(line, start=1)]
        lines.append(Line(f"{name}: {line[-1]:.2f} MB", marks))
    return chart(lines, title="MB, as a share of the most", x_label="round")


def _mean_cpu(name: str, days: Sequence["Day"], spans: Sequence[tuple[int, int]]) -> list[Any]:
    """The mean of the ten rounds up to each of some rounds."""
    found = ([d["cpu"].get(name, 0.0) for d in days if low < d["day"] <= high] for low, high in spans)
    return [name, *(mean(seconds or [0.0]) for seconds in found)]


def _say(day: "Day") -> None:
    how = f"{'deployed' if day['deployed'] else ''} {day['failed']}".strip()
    cpu = sum(day["cpu"].values())
    total = sum(day["mb"].values())
    print(
        f"{day['round']} {day['outcome']} {how} {day['records']} records, {cpu:.1f} s CPU, {day['wall']:.1f} s, "
        f"{total:.1f} MB",
        file=sys.stderr,
        flush=True,
    )


if __name__ == "__main__":
    main()
