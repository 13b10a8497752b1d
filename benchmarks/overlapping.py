"""A chain of tags for each label against one chain: `python -m benchmarks.overlapping [--quick] --out FILE.json`.

Two questions:

- Where spans overlap: what is it worth to learn all of them, against one chain that learns the longest, as
  `annotations.overlaps` says, or the shortest? The set is made from `tfh_patents` by `nested`, from its texts and spans
  alone, and all of its spans are judged.
- Where none do (`bc5cdr`, `wnut17`): what would it cost to have a chain for each label all the same?

A run is a corpus, a number of training records, a seed and a side; both sides of a pair train on the same records as a
round trains, and are judged on the same others of the corpus' training texts, by exact spans. Runs are processes of
their own, `--processes` at a time; each is written when it is done, and one that the file holds is not run again.
"""

import json
import multiprocessing
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.corpora import Corpus, data_folder, read_corpus
from benchmarks.options import add_data, make_parser
from benchmarks.report import table, write_report
from spanloop.records import Example, Span
from spanloop.spans import have_overlaps, resolve_overlaps

NESTED = "tfh_patents, nested"
_JOINTS = {"of": r"\s+of(\s+(a|an|the))?\s+", "with": r"\s+(having|with|including|includes)(\s+(a|an|the))?\s+"}
_THINGS = ("Component", "Material", "System")
_SIDES = ("each_label", "longest", "shortest")


@dataclass(frozen=True, slots=True)
class Run:
    """One training.

    Attributes:
        corpus: A corpus, or `NESTED`.
        records: Training records.
        seed: Draws the records and seeds the training.
        side: `each_label`: a chain of tags for each label; `longest` and `shortest`: one chain, which of spans that
            overlap learns these.
    """

    corpus: str
    records: int
    seed: int
    side: str

    @property
    def name(self) -> str:
        """Its key in the report."""
        return f"{self.corpus} / {self.records} / seed {self.seed} / {self.side}"


def main() -> None:
    """Run the benchmark from the command line."""
    parser = make_parser("overlapping", __doc__, "the nested set alone, 30 records, one seed, 30 steps")
    add_data(parser)
    parser.add_argument("--model", default="", help="encoder; default: the one that comes as a package")
    parser.add_argument("--corpora", nargs="+", default=[NESTED, "bc5cdr", "wnut17"])
    parser.add_argument("--sizes", nargs="+", type=int, default=[100, 200], help="training records")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--test", type=int, default=2000, help="records that a run is judged on at most")
    parser.add_argument("--processes", type=int, default=1, help="runs side by side")
    options = parser.parse_args()
    training: dict[str, Any] = {}
    if options.quick:
        options.corpora, options.sizes, options.seeds, options.test = [NESTED], [30], [0], 50
        training = {"min_steps": 30, "num_train_epochs": 1, "folds": 0}
    runs = [
        Run(corpus, size, seed, side)
        for size in sorted(options.sizes, reverse=True)  # those that take longest first
        for seed in options.seeds
        for corpus in options.corpora
        for side in _SIDES[: 3 if corpus == NESTED else 2]
    ]
    data, model = data_folder(options.data), options.model or _packed_encoder()
    done = json.loads(options.out.read_text(encoding="utf-8"))["runs"] if options.out.exists() else {}
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // options.processes)))
    with ProcessPoolExecutor(options.processes, multiprocessing.get_context("spawn")) as pool:
        judged = slice(max(options.sizes), max(options.sizes) + options.test)
        waiting = {
            pool.submit(outcome, run, data, model, training, judged): run for run in runs if run.name not in done
        }
        for future in as_completed(waiting):
            done[waiting[future].name] = future.result()
            print(waiting[future].name, *(f"{name} {value:.4g}" for name, value in future.result().items()), flush=True)
            write_report(options.out, {"runs": done, "summary": summary(done, runs), "model": model})
    print(table(["corpus", "records", *_COLUMNS], list(_rows(summary(done, runs)))))


def outcome(run: Run, data: Path, model: str, training: dict[str, Any], judged: slice) -> dict[str, float]:
    """Train, score and judge.

    Args:
        run: What to run.
        data: The folder of the corpora.
        model: The encoder.
        training: Fields of `TrainingConfig` that differ from its defaults.
        judged: Of the records in the order in which they are drawn, those to judge on.

    Returns:
        F1, precision, recall and calibration error of what is suggested; recall of the spans that overlap another; the
        share of those; seconds of training.
    """
    from benchmarks.plain_settings import PlainScoring, PlainTraining
    from spanloop.evaluation.calibration import calibration_error, reliability
    from spanloop.evaluation.counts import record_counts, total
    from spanloop.scoring import predict
    from spanloop.training.job import Job, run_job

    corpus = corpus_of(run.corpus, data)
    drawn = corpus.sample(len(corpus.train), run.seed)
    learnt, test = drawn[: run.records], drawn[judged]
    if run.side != "each_label":
        learnt = [replace(e, spans=disjoint(e.spans, run.side)) for e in learnt]
    config = PlainTraining(model_name_or_path=model, seed=run.seed, **training)
    with tempfile.TemporaryDirectory() as folder:
        chains = {"overlapping": run.side == "each_label"}
        result = run_job(Job(learnt, corpus.labels, config, Path(folder), **chains))  # type: ignore[arg-type]
        found = predict(Path(folder), test, PlainScoring())  # type: ignore[arg-type]
    counts = total(record_counts(test, found))
    overlapping = [(e.id, span) for e in test for span in in_overlaps(e.spans)]
    hits = sum(span in {s.span for s in found[record]} for record, span in overlapping)
    return {
        "f1": counts.f1,
        "precision": counts.precision,
        "recall": counts.recall,
        "recall_of_overlapping": hits / max(len(overlapping), 1),
        "share_of_overlapping": len(overlapping) / counts.gold,
        "calibration_error": calibration_error(reliability(test, found)) or 0.0,
        "seconds": result.seconds,
    }


def corpus_of(name: str, data: Path) -> Corpus:
    """A corpus of the folder, or the nested one made from it."""
    if name != NESTED:
        return read_corpus(data, name)
    plain = read_corpus(data, "tfh_patents")
    made = [[replace(e, spans=nested(e)) for e in split] for split in (plain.train, plain.dev, plain.test)]
    return Corpus(NESTED, sorted({s.label for e in made[0] for s in e.spans}), *made)


def nested(example: Example) -> tuple[Span, ...]:
    """The spans of an example, and longer ones over neighbours that the text joins.

    Spans joined by "of" ("the [thickness] of the [film] of the [head]") make one span: `Part` where the first is a
    thing (`Component`, `Material`, `System`), else `Property`. Spans joined by "having", "with" or "including" make a
    span `Equipped`, which may cross one of the others ("a [head] having a [layer] of [iron]").
    """
    outer = [
        Span(run[0].start, run[-1].end, _label(joint, run[0]))
        for joint, pattern in _JOINTS.items()
        for run in _joined(example, re.compile(pattern))
    ]
    return tuple(sorted({*example.spans, *outer}))


def _joined(example: Example, joint: re.Pattern[str]) -> Iterator[list[Span]]:
    """Longest rows of at least two neighbouring spans with nothing but the joint between them."""
    row: list[Span] = list(example.spans[:1])
    for before, span in pairwise(example.spans):
        if joint.fullmatch(example.text, before.end, span.start):
            row.append(span)
            continue
        if len(row) > 1:
            yield row
        row = [span]
    if len(row) > 1:
        yield row


def _label(joint: str, first: Span) -> str:
    if joint == "with":
        return "Equipped"
    return "Part" if first.label in _THINGS else "Property"


def disjoint(spans: Sequence[Span], kept: str) -> tuple[Span, ...]:
    """The longest or the shortest of spans that overlap."""
    if kept == "longest":
        return tuple(resolve_overlaps(spans, "longest")[0])
    inner = [s for s in spans if not any(s.start <= x.start and x.end <= s.end for x in spans if x != s)]
    return tuple(resolve_overlaps(inner, "first")[0])


def in_overlaps(spans: Sequence[Span]) -> list[Span]:
    """Those that share a character with another one."""
    return [s for s in spans if any(have_overlaps([s, other]) for other in spans if other != s)]


def summary(done: dict[str, dict[str, float]], runs: Sequence[Run]) -> dict[str, dict[str, Any]]:
    """Means over the seeds that all sides have, by corpus and number of records, and the differences of F1 by seed."""
    found: dict[str, dict[str, Any]] = {}
    for place in dict.fromkeys((run.corpus, run.records) for run in runs):
        here = [run for run in runs if (run.corpus, run.records) == place]
        by_side = {side: [done.get(run.name) for run in here if run.side == side] for side in _SIDES}
        whole = [i for i, seed in enumerate(zip(*filter(None, by_side.values()), strict=True)) if all(seed)]
        if not whole:
            continue
        kept = {side: [f for i in whole if (f := seeds[i])] for side, seeds in by_side.items() if seeds}
        means = {side: {key: mean(f[key] for f in seeds) for key in seeds[0]} for side, seeds in kept.items()}
        deltas = [a["f1"] - b["f1"] for a, b in zip(kept["each_label"], kept["longest"], strict=True)]
        found[f"{place[0]} / {place[1]}"] = {"seeds": len(whole), **means, "delta_f1_by_seed": deltas}
    return found


_COLUMNS = (
    *(f"F1, {side}" for side in _SIDES),
    "each label - longest",
    *(f"recall inside overlaps, {s}" for s in _SIDES),
)


def _rows(found: dict[str, dict[str, Any]]) -> Iterator[list[object]]:
    for name, place in found.items():
        f1, recall = (
            [f"{100 * place[side][key]:.1f}" if side in place else "-" for side in _SIDES]
            for key in ("f1", "recall_of_overlapping")
        )
        deltas = ", ".join(f"{100 * delta:+.1f}" for delta in place["delta_f1_by_seed"])
        yield [*name.rsplit(" / ", 1), *f1, deltas, *recall]


def _packed_encoder() -> str:
    from benchmarks.recipes import packed_encoder

    return packed_encoder()


if __name__ == "__main__":
    main()
