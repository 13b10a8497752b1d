"""Play a rehearsal: courses for every strategy and seed, worked off side by side, and what they show."""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from spanloop.config import LoopConfig
from spanloop.errors import ConfigError
from spanloop.rehearsal.contenders import WHOLE_POOL, Contender
from spanloop.rehearsal.courses import Course
from spanloop.rehearsal.crew import Crew, left_of
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


def courses_of(contenders: Sequence[Contender], seeds: int, plan: Plan) -> list[Course]:
    """Every contender with every seed, and the whole pool once a seed."""
    numbers = range(seeds)
    whole = [Course(WHOLE_POOL, seed, (plan.words,)) for seed in numbers]
    return whole + [Course(contender, seed, tuple(plan.budgets)) for seed in numbers for contender in contenders]


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
        return write_sheet(folder, results, plan)


class _Clock:
    """Estimates what is left from what steps cost: the words that they train on."""

    def __init__(self, folder: Path, courses: Sequence[Course]) -> None:
        done = {course: len(course.done(folder)) for course in courses}
        self._left = sum(left_of(course, steps) for course, steps in done.items())
        self._done, self._steps = sum(done.values()), sum(len(course.budgets) for course in courses)
        self._worked, self._began = 0, time.monotonic()

    def advance(self, course: Course, step: int) -> Headway:
        cost = course.budgets[step]
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
