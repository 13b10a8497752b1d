"""What a rehearsal keeps of each finished step: one small file, there when the step is done and never half."""

import gzip
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, TypeAdapter

from spanloop.durable import replacing, told_as_store_errors
from spanloop.records import ScoredSpan
from spanloop.store.jsonl import read_cache, write_json

_NAME = re.compile(r"(?P<course>.+)-(?P<seed>\d+)-(?P<step>\d+)\.json")


class StepResult(BaseModel):
    """One model of a rehearsal: what it cost, what it is worth, and what is annotated next.

    Attributes:
        strategy: The contender's name.
        seed: Number of the repetition.
        step: Number of the step, from 0.
        records: Annotated records, held-out ones included.
        words: Words in them.
        spans: Spans in them.
        f1: On the records that nobody annotates.
        reported_f1: What a round would report: on the annotated records of the test split; None with no span in them.
        n_test: Annotated records of the test split.
        split_f1: On the whole test split of the pool, of which those annotated are a sample.
        selected_f1: On as many records of the test split, chosen as the training records are and not at random.
        n_selected: Their number.
        batch: Ids of the records annotated for this step.
        upcoming: Ids of those to be annotated for the next.
        selected: Ids of those chosen for the test set of selected records so far.
        seconds: Time by part of the step.
    """

    strategy: str
    seed: int
    step: int
    records: int
    words: int
    spans: int
    f1: float
    reported_f1: float | None
    n_test: int
    split_f1: float | None
    selected_f1: float | None
    n_selected: int
    batch: list[str]
    upcoming: list[str]
    selected: list[str]
    seconds: dict[str, float]


_STEP = TypeAdapter(StepResult)


def step_file(folder: Path, key: str, seed: int, step: int) -> Path:
    """Where a rehearsal's folder keeps a step of a contender with this key."""
    return folder / "steps" / f"{key}-{seed}-{step}.json"


def read_step(path: Path) -> StepResult | None:
    """A finished step; None if it is not there, or damaged: it is made again."""
    return read_cache(path, _STEP)


def write_step(path: Path, result: StepResult) -> None:
    """Keep a finished step."""
    write_json(path, result.model_dump(mode="json"))


def read_steps(folder: Path) -> Iterator[StepResult]:
    """Every finished step of a rehearsal's folder, by strategy, seed and number."""
    found = (_NAME.fullmatch(path.name) for path in (folder / "steps").iterdir())
    named = sorted((m["course"], int(m["seed"]), int(m["step"]), m.string) for m in found if m)
    results = (read_step(folder / "steps" / name) for *_, name in named)
    return (result for result in results if result is not None)


def write_predictions(path: Path, predictions: Mapping[str, Sequence[ScoredSpan]]) -> None:
    """Keep what a model found, compressed: `{id: [[start, end, label], …]}`."""
    tree = {i: [[s.start, s.end, s.label] for s in spans] for i, spans in sorted(predictions.items())}
    content = gzip.compress(json.dumps(tree, separators=(",", ":")).encode(), mtime=0)
    with told_as_store_errors(f"write {path.name}", path):
        path.parent.mkdir(exist_ok=True)
        with replacing(path) as file:
            file.write(content)
