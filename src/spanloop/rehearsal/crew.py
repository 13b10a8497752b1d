"""Processes that work on courses side by side: each takes the next step that is ready, on a device of its own turn.

Every process computes with one thread, however many there are, so that sums are made in the same order and results
do not depend on their number. They end with the process that started them, however it ends.
"""

import contextlib
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from spanloop.config import LoopConfig
from spanloop.errors import SpanloopError, TrainingError
from spanloop.rehearsal.courses import Course, Ground, take_step
from spanloop.rehearsal.step_results import StepResult

_PATIENCE = 10.0  # seconds in which a training that was told to stop writes its checkpoint


@dataclass(slots=True)
class _Member:
    process: BaseProcess
    line: Connection
    course: Course | None = None


@dataclass(slots=True)
class Crew:
    """Processes that are started when there is work for them.

    Attributes:
        folder: The rehearsal's folder.
        config: The configuration of the user's loop.
        size: How many processes.
    """

    folder: Path
    config: LoopConfig
    size: int
    _members: list[_Member] = field(default_factory=list)

    def work_off(self, courses: Sequence[Course], told: Callable[[Course, StepResult], None]) -> None:
        """Take every step of the courses that is not taken yet; of those that are ready, the longest course first.

        Args:
            courses: What to do.
            told: Called with every step that is finished.

        Raises:
            SpanloopError: What a process raised; the other processes are ended, what they finished is kept.
        """
        ready = {course: len(course.done(self.folder)) for course in courses}
        try:
            while self._deal(ready):
                for member in self._heard():
                    course = member.course
                    assert course is not None
                    result, member.course = self._answer(member), None
                    ready[course] = len(course.done(self.folder))  # where a file was damaged, later ones count again
                    told(course, result)
        finally:
            self._end()

    def _deal(self, ready: dict[Course, int]) -> bool:
        """Give the next steps to whoever is free; False once nothing is left and nobody is at work."""
        open_courses = [course for course, done in ready.items() if done < len(course.budgets)]
        for course in sorted(open_courses, key=lambda course: -course.left(ready[course])):
            if (member := self._free()) is None:
                break
            member.course = course
            member.line.send(course)
            del ready[course]
        return any(member.course for member in self._members)

    def _free(self) -> _Member | None:
        for member in self._members:
            if member.course is None:
                return member
        return self._start() if len(self._members) < self.size else None

    def _start(self) -> _Member:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        arguments = (theirs, len(self._members), self.folder, self.config)
        process = context.Process(target=_member, args=arguments, name=f"rehearsal-{len(self._members)}", daemon=True)
        with one_thread(), _deaf_to_interrupts():
            process.start()
        theirs.close()
        self._members.append(_Member(process, ours))
        return self._members[-1]

    def _heard(self) -> list[_Member]:
        lines = {member.line: member for member in self._members if member.course}
        return [lines[line] for line in wait(list(lines)) if isinstance(line, Connection)]

    def _answer(self, member: _Member) -> StepResult:
        try:
            answer = member.line.recv()
        except (EOFError, OSError):
            member.process.join(_PATIENCE)
            raise TrainingError(
                f"a process of the rehearsal ended with code {member.process.exitcode}; the same command goes on where "
                "it was, with fewer --processes if memory is short"
            ) from None
        if isinstance(answer, StepResult):
            return answer
        raise answer

    def _end(self) -> None:
        for member in self._members:
            member.line.close()
            if member.course:
                member.process.terminate()
        for member in self._members:
            member.process.join(_PATIENCE)
            if member.process.is_alive():
                member.process.kill()
        self._members.clear()


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """What libraries read when they are loaded."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)


@contextlib.contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """What is started meanwhile never hears Ctrl-C, which the terminal sends to all: its parent does, and ends it."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _member(line: Connection, number: int, folder: Path, config: LoopConfig) -> None:
    """The life of a process: steps of courses, until the line is closed."""
    end_with_parent()
    logging.disable(logging.WARNING)  # of hundreds of trainings
    _take_device(number)
    ground = Ground.open(folder, config)
    with contextlib.suppress(EOFError, OSError):
        while True:
            course: Course = line.recv()
            answer: Any
            try:
                answer = take_step(ground, course)
            except SpanloopError as error:
                answer = error
            line.send(answer)


def end_with_parent() -> None:
    """Let this process end as soon as the one that started it has ended, however that came."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _take_device(number: int) -> None:
    """See one device of several, before anything else looks at them."""
    import torch

    torch.set_num_threads(1)
    if (count := torch.cuda.device_count()) > 1:
        named = os.environ.get("CUDA_VISIBLE_DEVICES", "")
        visible = named.split(",") if named else [str(i) for i in range(count)]
        os.environ["CUDA_VISIBLE_DEVICES"] = visible[number % count]
