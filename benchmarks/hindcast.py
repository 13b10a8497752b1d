"""Does the forecast come true? `python -m benchmarks.hindcast RESULTS.csv…`.

The files are what `spanloop rehearse` writes: a row a step with `strategy`, `seed`, `step`, `records` and `f1`. At each
step of each run, from the third on, the forecast that a round would have made from the steps so far is held against
what came: at the next step, and where the records have doubled. F1 there is that on the held-out file, so it is the
curve and the luck of trainings that are judged here, not the luck of a test split.

`--made-up N` judges N runs along known power laws, with luck of realistic size.
"""

import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.options import make_parser
from benchmarks.report import table, write_report
from spanloop.evaluation.counts import FloatArray
from spanloop.evaluation.forecast import LEAST, LEVEL, fit

DOUBLED = "doubled"
_NEAR_DOUBLE = (1.6, 2.6)  # times the records that count as doubled: runs have no step at exactly twice


@dataclass(frozen=True, slots=True)
class Verdict:
    """One forecast against what came.

    Attributes:
        horizon: `next step` or `doubled`.
        points: Models that the forecast rests on.
        expected: The gain that was expected, in F1, 0..1.
        came: The gain that came.
        width: Of the interval.
        held: Whether the interval held what came.
    """

    horizon: str
    points: int
    expected: float
    came: float
    width: float
    held: bool


def main() -> None:
    """Run the benchmark from the command line."""
    parser = make_parser("hindcast", __doc__, "every third run", must_write=False)
    parser.add_argument("results", nargs="*", type=Path, metavar="RESULTS.csv", help="of rehearsals")
    parser.add_argument("--made-up", type=int, default=0, metavar="N", help="judge so many runs of known curves")
    options = parser.parse_args()
    if not options.results and not options.made_up:
        parser.error("name the results.csv of a rehearsal, or --made-up 200")
    try:
        rehearsed = read_runs(options.results)
    except (OSError, ValueError) as error:
        parser.error(f"{error}; name the results.csv of a rehearsal")
    kept = [*rehearsed.values(), *made_up(options.made_up)][:: 3 if options.quick else 1]
    verdicts = [verdict for records, f1 in kept for verdict in judge(records, f1)]
    figures = summary(verdicts)
    print(f"{len(kept)} runs, {len(verdicts)} forecasts; the interval should hold {100 * LEVEL:.0f} % of what came\n")
    header = ("horizon", "models", "forecasts", "held, %", "mean error", "mean absolute error", "mean width")
    print(table(header, [tuple(row.values()) for row in figures]))
    if options.out:
        write_report(options.out, {"level": LEVEL, "summary": figures, "forecasts": [asdict(v) for v in verdicts]})


def read_runs(paths: Sequence[Path]) -> dict[object, tuple[FloatArray, FloatArray]]:
    """Records and F1 of each run, a strategy and seed of one file, in the order of its steps."""
    rows: dict[object, list[tuple[int, float, float]]] = defaultdict(list)
    for path in paths:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if missing := {"strategy", "seed", "step", "records", "f1"} - set(reader.fieldnames or ()):
                raise ValueError(f"{path}: no column {', '.join(sorted(missing))}")
            for row in reader:
                run = (str(path), row["strategy"], row["seed"])
                rows[run].append((int(row["step"]), float(row["records"]), float(row["f1"])))
    return {run: _columns(sorted(steps)) for run, steps in rows.items()}


def _columns(steps: Sequence[tuple[int, float, float]]) -> tuple[FloatArray, FloatArray]:
    _, records, f1 = np.array(steps, dtype=np.float64).T
    return records, f1


def made_up(runs: int, seed: int = 0) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Runs of 50 to 400, up to 2,000 records along power laws from F1 of 20 or more, with luck as trainings have it."""
    rng = np.random.default_rng(seed)
    while runs:
        records = np.round(50 * rng.uniform(1.3, 1.6) ** np.arange(9))
        error, rest, exponent = rng.uniform(0.15, 0.6), rng.uniform(0, 0.8), rng.uniform(0.2, 1.0)
        curve = 1 - error * (rest + (1 - rest) * (records / 300) ** -exponent)
        if curve[0] >= 0.2:
            luck = 0.035 * np.exp(0.4 * rng.standard_normal()) * (1 - curve) * np.sqrt(300 / records)
            yield records, np.clip(curve + luck * rng.standard_normal(len(records)), 0.0, 1.0)
            runs -= 1


def judge(records: FloatArray, f1: FloatArray) -> Iterator[Verdict]:
    """Every forecast of one run.

    Args:
        records: Shape (steps,), rising.
        f1: Shape (steps,), 0..1.
    """
    for now in range(LEAST - 1, len(records) - 1):
        curve = fit(records[: now + 1], f1[: now + 1])
        times = records[now + 1 :] / records[now]
        doubled = int(np.argmin(np.abs(np.log2(times) - 1)))
        horizons = [("next step", now + 1)]
        if _NEAR_DOUBLE[0] <= times[doubled] <= _NEAR_DOUBLE[1]:
            horizons.append((DOUBLED, now + 1 + doubled))
        for name, then in horizons:
            gain, came = curve.gain(records[now], records[then]), float(f1[then] - f1[now])
            held = gain.low <= came <= gain.high
            yield Verdict(name, now + 1, gain.expected, came, gain.high - gain.low, held)


def summary(verdicts: Sequence[Verdict]) -> list[Mapping[str, object]]:
    """By horizon and number of models, all numbers together last: shares in percent, errors in points of F1."""
    rows = []
    for horizon in sorted({v.horizon for v in verdicts}, reverse=True):
        ours = [v for v in verdicts if v.horizon == horizon]
        for points in (*sorted({v.points for v in ours}), "all"):
            some = [v for v in ours if points in (v.points, "all")]
            errors = np.array([v.expected - v.came for v in some])
            rows.append(
                {
                    "horizon": horizon,
                    "models": points,
                    "forecasts": len(some),
                    "held": round(100 * float(np.mean([v.held for v in some])), 1),
                    "error": round(100 * float(errors.mean()), 2),
                    "absolute_error": round(100 * float(np.abs(errors).mean()), 2),
                    "width": round(100 * float(np.mean([v.width for v in some])), 2),
                }
            )
    return rows


if __name__ == "__main__":
    main()
