"""The trainings of `benchmarks.accuracy`: each is a run whose result is a file of its own, so that it is done once."""

import json
import tempfile
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from benchmarks.corpora import Corpus, read_corpus
from benchmarks.recipes import judge_ours, train_ours, train_tutorial, write_snapshot
from spanloop.config import SplitConfig
from spanloop.durable import replace_file
from spanloop.errors import DataError
from spanloop.evaluation import Evaluation
from spanloop.records import Example
from spanloop.snapshot import read_examples

Judges = dict[str, list[Example]]


@dataclass(frozen=True, slots=True)
class Setting:
    """What all runs share.

    Attributes:
        data: Folder of the corpora.
        model: The encoder.
        test: Test examples used.
        pool: Records of the training texts that judge beside the test set; no size draws them.
        pooled: Corpora that have such records.
    """

    data: str
    model: str
    test: int
    pool: int
    pooled: tuple[str, ...]


@dataclass(frozen=True, slots=True, order=True)
class Run:
    """One recipe on one sample.

    Attributes:
        corpus: The corpus.
        size: Labels in all.
        seed: Of sample and training.
        recipe: Whose.
        rate: The tutorials' learning rate; ours chooses its own.
    """

    corpus: str
    size: int
    seed: int
    recipe: Literal["ours", "tutorial"]
    rate: float = 0.0

    @property
    def name(self) -> str:
        """The name of its file."""
        return f"{self.corpus}-{self.size}-{self.seed}-{self.recipe}" + (f"-{self.rate:g}" if self.rate else "")

    @property
    def effort(self) -> int:
        """About how long it takes, beside others: ours trains three times, at half the batch."""
        return self.size * (6 if self.recipe == "ours" else 1)


@dataclass(frozen=True, slots=True)
class Task:
    """A run with all that a process needs for it."""

    run: Run
    setting: Setting
    folder: Path


def bind(folder: Path, setting: Setting) -> None:
    """Make a folder of results one of this setting.

    Raises:
        DataError: It holds results of another one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    about, wanted = folder / "setting.json", json.loads(json.dumps(asdict(setting)))
    if about.exists() and json.loads(about.read_text(encoding="utf-8")) != wanted:
        raise DataError(f"{folder} holds results of other settings; give another --runs")
    _write(about, wanted)


def kept(folder: Path, run: Run) -> dict[str, Any] | None:
    """The result of a run that is done, else None."""
    path = folder / "runs" / f"{run.name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def do(task: Task) -> dict[str, Any]:
    """Train and judge, and keep the result.

    Returns:
        By judge (`test`, `pool`): what `_of_ours` says, or the tutorials' F1 as `f1`.
    """
    run, setting = task.run, task.setting
    corpus = _corpus(setting.data, run.corpus)
    drawn, judges = draw(corpus, run, setting)
    with tempfile.TemporaryDirectory() as root:
        snapshot = write_snapshot(Path(root), drawn, corpus.labels, SplitConfig())
        if run.recipe == "ours":
            outcome = train_ours(snapshot, setting.model, run.seed, Path(root) / "model")
            result = {name: _of_ours(*judge_ours(Path(root) / "model", judge)) for name, judge in judges.items()}
        else:
            seen = read_examples(snapshot, "train") + read_examples(snapshot, "validation")
            outcome, f1 = train_tutorial(
                seen, list(judges.values()), corpus.labels, setting.model, run.seed, learning_rate=run.rate, quick=True
            )
            result = {name: {"f1": found} for name, found in zip(judges, f1, strict=True)}
    result["seconds"] = outcome.seconds
    _write(task.folder / "runs" / f"{run.name}.json", result)
    return result


def draw(corpus: Corpus, run: Run, setting: Setting) -> tuple[list[Example], Judges]:
    """The labels of a run, and what it is judged on."""
    shuffled = corpus.sample(len(corpus.train), run.seed)
    judges = {"test": corpus.test[: setting.test]}
    if corpus.name in setting.pooled:
        judges["pool"] = shuffled[len(shuffled) - setting.pool :]
    return shuffled[: run.size], judges


def _of_ours(judged: Evaluation, every: float) -> dict[str, Any]:
    bins = [[b.n, b.score, b.correct] for b in judged.reliability]
    return {"f1": judged.f1, "every_span": every, "calibration_error": judged.ece or 0.0, "reliability": bins}


@cache
def _corpus(folder: str, name: str) -> Corpus:
    return read_corpus(Path(folder), name)


def _write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, json.dumps(content))
