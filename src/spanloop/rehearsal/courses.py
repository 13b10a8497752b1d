"""A course: one contender with one seed, batch after batch, by the functions that a round uses.

A step trains on what is annotated, judges the model, scores what is left, and takes the next batch from the head of
the queue. The first batch comes from the queue as it is before there is a model.
"""

import contextlib
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from spanloop.config import LoopConfig, SplitConfig
from spanloop.evaluation.counts import Predictions, record_counts, total
from spanloop.records import Annotation, Statistics
from spanloop.rehearsal.contenders import FULL, Contender
from spanloop.rehearsal.plan import Plan, read_plan
from spanloop.rehearsal.pools import as_example, words_in
from spanloop.rehearsal.step_results import StepResult, read_step, step_file, write_predictions, write_step
from spanloop.rounds.ordering import embeddings_of, put_in_order
from spanloop.selection import Pending, wants_embeddings
from spanloop.store import Store
from spanloop.store.jsonl import read_annotations

Known: TypeAlias = Mapping[str, Statistics]

_KEPT_JUDGEMENTS = 1000  # records whose predictions are kept, for questions that come later


@dataclass(frozen=True, slots=True)
class Course:
    """One contender with one seed.

    Attributes:
        contender: Who orders the queue.
        seed: Number of the repetition.
        budgets: Words annotated at each step.
        updates: About how many update steps its trainings take.
    """

    contender: Contender
    seed: int
    budgets: tuple[int, ...]
    updates: tuple[int, ...]

    def left(self, done: int) -> int:
        """Update steps that are still to take after the first `done` steps."""
        return sum(self.updates[done:])

    def file(self, folder: Path, step: int) -> Path:
        """Where the result of a step is kept."""
        return step_file(folder, self.contender.key, self.seed, step)

    def done(self, folder: Path) -> list[StepResult]:
        """The steps that are finished, up to the first that is not."""
        results: list[StepResult] = []
        while len(results) < len(self.budgets) and (found := read_step(self.file(folder, len(results)))):
            results.append(found)
        return results


@dataclass(frozen=True, slots=True)
class Ground:
    """What all courses share: records, words, configuration.

    Attributes:
        folder: The rehearsal's folder.
        config: The configuration of the user's loop.
        plan: What the folder is bound to.
        pool: The records to annotate, by id.
        judges: The records that judge.
        words: Words of each record of the pool.
    """

    folder: Path
    config: LoopConfig
    plan: Plan
    pool: Mapping[str, Annotation]
    judges: Sequence[Annotation]
    words: Mapping[str, int]

    def embedded(self, config: LoopConfig) -> Path:
        """A folder with the embeddings of the pool, made once and whole: so they do not depend on who asks first."""
        cache = self.folder / "work" / "embeddings"
        if not cache.exists():
            making = cache.with_name(f"embeddings-{os.getpid()}")
            making.mkdir(parents=True, exist_ok=True)
            embeddings_of([Pending(r.record_id, r.group, r.text) for r in self.pool.values()], config, making)
            with contextlib.suppress(OSError):  # somebody else was faster
                making.rename(cache)
            shutil.rmtree(making, ignore_errors=True)
        return cache

    @classmethod
    def open(cls, folder: Path, config: LoopConfig) -> "Ground":
        """Read a rehearsal's folder."""
        pool = {record.record_id: record for record in read_annotations(folder / "pool.jsonl")}
        words = {name: words_in(record.text) for name, record in pool.items()}
        return cls(folder, config, read_plan(folder), pool, read_annotations(folder / "judges.jsonl"), words)


@dataclass(slots=True)
class _Timer:
    seconds: dict[str, float] = field(default_factory=dict)

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - began, 3)


def take_step(ground: Ground, course: Course) -> StepResult:
    """Take the next step of a course, and keep its result.

    Args:
        ground: What is rehearsed on.
        course: One that is not finished.

    Returns:
        The result, as its file has it.

    Raises:
        TrainingError: A model cannot be trained or loaded.
        ConfigError: The strategy cannot judge the records.
        StoreError: The disk is full or refuses.
    """
    past = course.done(ground.folder)
    result = _Step(ground, course, past).take()
    write_step(course.file(ground.folder, len(past)), result)
    shutil.rmtree(_scratch(ground, course), ignore_errors=True)
    return result


def _scratch(ground: Ground, course: Course) -> Path:
    return ground.folder / "work" / f"{course.contender.key}-{course.seed}"


class _Step:
    """The step that comes after those of the past."""

    def __init__(self, ground: Ground, course: Course, past: Sequence[StepResult]) -> None:
        self._ground, self._course, self._past = ground, course, past
        self._config = course.contender.configured(ground.config, course.seed)
        self._number, self._timer = len(past), _Timer()
        self._scratch = _scratch(ground, course) / str(self._number)
        self._tests = [r for r in ground.pool.values() if self._config.splits.split_of(r.group) == "test"]

    def take(self) -> StepResult:
        ground, past = self._ground, self._past
        batch = past[-1].upcoming if past else self._first_batch()
        annotated = {name for step in past for name in step.batch} | set(batch)
        model = self._trained([ground.pool[name] for name in sorted(annotated)])
        found = self._found(model)
        upcoming, chosen = self._next(model, annotated)
        selected = past[-1].selected if past else []
        tests = [record for record in self._tests if record.record_id in annotated]
        return StepResult(
            strategy=self._course.contender.name,
            seed=self._course.seed,
            step=self._number,
            records=len(annotated),
            words=sum(ground.words[name] for name in annotated),
            spans=sum(len(ground.pool[name].spans) for name in annotated),
            f1=_f1(ground.judges, found) or 0.0,
            reported_f1=_f1(tests, found),
            n_test=len(tests),
            split_f1=_f1(self._tests, found),
            selected_f1=_f1([ground.pool[name] for name in selected], found),
            n_selected=len(selected),
            batch=batch,
            upcoming=upcoming,
            selected=selected + chosen,
            seconds=self._timer.seconds,
        )

    def _first_batch(self) -> list[str]:
        if self._course.contender.name == FULL:
            return sorted(self._ground.pool)
        with self._timer.part("order"):
            priority = self._priority(self._ground.pool.values(), {}, set())
        return self._head(priority, self._course.budgets[0])

    def _priority(
        self, pending: Iterable[Annotation], known: Known, annotated: set[str], splits: SplitConfig | None = None
    ) -> Mapping[str, float]:
        """The queue as a round makes it."""
        config = self._config.model_copy(update={"splits": splits}) if splits else self._config
        records = [Pending(r.record_id, r.group, r.text, known.get(r.record_id)) for r in pending]
        cache = self._ground.embedded(config) if wants_embeddings(config.selection, scored=bool(known)) else None
        done = [self._ground.pool[name] for name in sorted(annotated)]
        return put_in_order(records, config, annotated=done, cache=cache)["priority"]

    def _trained(self, annotations: Sequence[Annotation]) -> Path:
        """A model of the annotations, in a folder that lasts as long as the step."""
        from spanloop.snapshot import build
        from spanloop.training import train

        with self._timer.part("train"):
            snapshot = build(Store(self._scratch / "store"), annotations, self._ground.plan.labels, self._config.splits)
            train(snapshot.path, self._config.training, self._scratch / "model")
        return self._scratch / "model"

    def _found(self, model: Path) -> Predictions:
        """What the model finds in the records that judge and in the whole test split of the pool."""
        from spanloop.scoring import predict

        with self._timer.part("judge"):
            read = [as_example(record) for record in [*self._ground.judges, *self._tests]]
            found = predict(model, read, self._config.scoring)
        kept = {r.record_id for r in [*self._ground.judges[:_KEPT_JUDGEMENTS], *self._tests]}
        name = self._course.file(self._ground.folder, self._number).stem
        path = self._ground.folder / "predictions" / f"{name}.json.gz"
        write_predictions(path, {i: spans for i, spans in found.items() if i in kept})
        return found

    def _next(self, model: Path, annotated: set[str]) -> tuple[list[str], list[str]]:
        """The next batch, and as many records of the test split, by the strategy: what a test set must not be."""
        if self._number + 1 == len(self._course.budgets):
            return [], []
        pending = [record for name, record in self._ground.pool.items() if name not in annotated]
        seen = set(self._past[-1].selected) if self._past else set()
        rivals = [record for record in self._tests if record.record_id not in seen]
        with self._timer.part("score"):
            known = self._statistics(model, pending, rivals)
        with self._timer.part("order"):
            priority = self._priority(pending, known, annotated)
            done = sum(self._ground.words[name] for name in annotated)
            batch = self._head(priority, self._course.budgets[self._number + 1] - done)
            wanted = sum(self._config.splits.split_of(self._ground.pool[name].group) == "test" for name in batch)
            learnt = annotated - {record.record_id for record in self._tests}
            chosen = self._priority(rivals, known, learnt, SplitConfig(validation=0.0, test=0.0)) if rivals else {}
            return batch, sorted(chosen, key=lambda name: -chosen[name])[:wanted]

    def _statistics(self, model: Path, *parts: Iterable[Annotation]) -> Known:
        """What the model says of the records, where somebody asks."""
        if not self._course.contender.needs_scores:
            return {}
        from spanloop.scoring import Scorer

        texts = {record.record_id: record.text for part in parts for record in part}
        scorer = Scorer.load(model, self._config.scoring)
        return {scored.id: scored.statistics for scored in scorer.score(texts.items())}

    def _head(self, priority: Mapping[str, float], budget: int) -> list[str]:
        """Records from the head of the queue until the budget of words is used up."""
        batch: list[str] = []
        for name in sorted(priority, key=lambda name: -priority[name]):
            if budget <= 0:
                break
            batch.append(name)
            budget -= self._ground.words[name]
        return batch


def _f1(records: Sequence[Annotation], found: Predictions) -> float | None:
    """Exact-span F1; None where no span is marked."""
    if not any(record.spans for record in records):
        return None
    return total(record_counts([as_example(record) for record in records], found)).f1
