"""The files that people read: `results.csv`, `times.csv`, `summary.json` and the picture, from the finished steps."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from spanloop.durable import replace_file, to_json, told_as_store_errors
from spanloop.rehearsal.contenders import FULL
from spanloop.rehearsal.plan import Plan
from spanloop.rehearsal.step_results import StepResult
from spanloop.rehearsal.verdict import Verdict, judge, runs_of
from spanloop.reports.chart import Line, Mark, chart

_COLUMNS = ("strategy", "seed", "step", "records", "words", "spans")
_FIGURES = ("f1", "reported_f1", "n_test", "split_f1", "selected_f1", "n_selected")
PICTURE = "curves.svg"


def write_sheet(folder: Path, results: Sequence[StepResult], plan: Plan) -> Verdict:
    """Write everything that finished steps say; the same steps give the same bytes, but for `times.csv`.

    Raises:
        StoreError: The folder cannot be written.
    """
    rows = sorted(results, key=lambda r: (r.strategy != FULL, r.strategy, r.seed, r.step))
    verdict = judge(rows, plan)
    files = {
        "results.csv": _table((*_COLUMNS, *_FIGURES), [_row(result) for result in rows]),
        "times.csv": _table((*_COLUMNS[:3], *_PARTS), [_times(result) for result in rows]),
        "summary.json": to_json(verdict.tree(plan)),
        PICTURE: draw(rows, plan, verdict),
    }
    for name, content in files.items():
        with told_as_store_errors(f"write {name}", folder / name):
            replace_file(folder / name, content)
    return verdict


_PARTS = ("order", "train", "judge", "score")


def _row(result: StepResult) -> list[object]:
    figures = (getattr(result, name) for name in _FIGURES)
    cells = ("" if x is None else f"{x:.6f}" if isinstance(x, float) else x for x in figures)
    return [*(getattr(result, name) for name in _COLUMNS), *cells]


def _times(result: StepResult) -> list[object]:
    return [result.strategy, result.seed, result.step, *(result.seconds.get(part, 0.0) for part in _PARTS)]


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([head, *rows])
    return text.getvalue()


def draw(results: Sequence[StepResult], plan: Plan, verdict: Verdict) -> str:
    """F1 over annotated words: the mean over seeds of each strategy, and from the lowest seed to the highest."""
    runs = runs_of(results, len(plan.budgets))
    full = [result for result in results if result.strategy == FULL]
    end = [_mark("whole pool", full)] if full else []
    lines = [
        Line(name, [*(_mark(name, step) for step in zip(*runs[name].values(), strict=True)), *end])
        for name in verdict.standings
    ]
    title = "F1 on held-out records, mean and range over seeds"
    return chart(lines, title=title, x_label="annotated words", zoom=True)


def _mark(name: str, points: Sequence[StepResult]) -> Mark:
    words, f1 = fmean(p.words for p in points), [p.f1 for p in points]
    records = fmean(p.records for p in points)
    hint = f"{name}: F1 {100 * fmean(f1):.1f} ({100 * min(f1):.1f} to {100 * max(f1):.1f}) at {words:,.0f} words"
    return Mark(words, fmean(f1), f"{hint}, {records:,.0f} records", min(f1), max(f1))
