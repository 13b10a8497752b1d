"""Play a rehearsal: courses for every strategy and seed, worked off side by side, and what they show."""

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from filelock import FileLock, Timeout

from spanloop.config import LoopConfig, TrainingConfig
from spanloop.errors import ConfigError
from spanloop.rehearsal.contenders import WHOLE_POOL, Contender
from spanloop.rehearsal.courses import Course
from spanloop.rehearsal.crew import Crew
from spanloop.rehearsal.plan import Plan
from spanloop.rehearsal.sheet import write_sheet
from spanloop.rehearsal.step_results import StepResult, read_steps
from spanloop.rehearsal.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Headway:
    """How far a rehearsal is.

    Attributes:
        done: Steps that are finished, of earlier runs too.
        steps: All of them.
        seconds_left: Estimate, from what this run did; None before its first step.
    """

    done: int
    steps: int
    seconds_left: float | None


Told = Callable[[StepResult | None, Headway], None]


def courses_of(
    contenders: Sequence[Contender], seeds: int, plan: Plan, config: TrainingConfig, *, of_the_whole: int
) -> list[Course]:
    """Every contender with every seed, and the whole pool with the first `of_the_whole` seeds."""
    whole, budgets = (plan.words,), tuple(plan.budgets)
    courses = [Course(WHOLE_POOL, seed, whole, _updates(whole, plan, config)) for seed in range(of_the_whole)]
    updates = _updates(budgets, plan, config)
    return courses + [Course(one, seed, budgets, updates) for seed in range(seeds) for one in contenders]


def _updates(budgets: Sequence[int], plan: Plan, config: TrainingConfig) -> tuple[int, ...]:
    """About how many update steps the trainings at each budget take, those of the folds included."""
    windows = config.per_device_train_batch_size * config.gradient_accumulation_steps
    records = [words * plan.records / plan.words for words in budgets]
    trainings = config.folds + 1 if config.folds > 1 else 1
    return tuple(trainings * max(config.min_steps, ceil(config.num_train_epochs * n / windows)) for n in records)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What is to be played, and where.

    Attributes:
        folder: From `plan.open_folder`.
        config: The configuration of the user's loop.
        plan: What the folder is bound to.
        courses: What is compared.
    """

    folder: Path
    config: LoopConfig
    plan: Plan
    courses: Sequence[Course]


def play(rehearsal: Rehearsal, processes: int, told: Told) -> Verdict:
    """Take every step that is not taken yet.

    The files of the folder are brought up to date after every step, so that one that was interrupted can be read.

    Args:
        rehearsal: What is to be played.
        processes: How many work side by side.
        told: Called at the start, with None, and after each step.

    Returns:
        The verdict on all that lies in the folder.

    Raises:
        SpanloopError: A step failed; what is finished is kept, and the same call goes on from there.
        ConfigError: Another process works in the folder.
    """
    folder, plan, courses = rehearsal.folder, rehearsal.plan, rehearsal.courses
    with _alone(folder):
        results = list(read_steps(folder))
        clock = _Clock(folder, courses)
        told(None, clock.headway())

        def heard(course: Course, result: StepResult) -> None:
            results.append(result)
            write_sheet(folder, results, plan)
            told(result, clock.advance(course, result.step))

        Crew(folder, rehearsal.config, min(processes, len(courses))).work_off(courses, heard)
        shutil.rmtree(folder / "work", ignore_errors=True)
        return write_sheet(folder, results, plan)


class _Clock:
    """Estimates what is left from what steps cost: the update steps of their trainings."""

    def __init__(self, folder: Path, courses: Sequence[Course]) -> None:
        done = {course: len(course.done(folder)) for course in courses}
        self._left = sum(course.left(steps) for course, steps in done.items())
        self._done, self._steps = sum(done.values()), sum(len(course.budgets) for course in courses)
        self._worked, self._began = 0, time.monotonic()

    def advance(self, course: Course, step: int) -> Headway:
        cost = course.updates[step]
        self._left, self._worked, self._done = self._left - cost, self._worked + cost, self._done + 1
        return self.headway()

    def headway(self) -> Headway:
        spent = time.monotonic() - self._began
        return Headway(self._done, self._steps, self._left * spent / self._worked if self._worked else None)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    try:
        with FileLock(folder / "rehearsal.lock", blocking=False):
            yield
    except Timeout:
        raise ConfigError(f"{folder} is in use by another rehearsal; wait for it, or name another --out") from None
