"""Rounds one after the other, each in a fork of one process that has imported everything: half a second a round.

    python forked_rounds.py

reads an order a line, a JSON object, runs the round in a fork and answers with a line: the fork's exit status (-9
killed, 0 with the report in its file, `REFUSED` with one line in it), and what the order's full disk refused.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any, Self

import killed_round
from full_disk import FullDisk
from wall_clock import set_clock

from spanloop.config import LoopConfig
from spanloop.errors import SpanloopError

KILLED, REFUSED = -9, 2


@dataclass(frozen=True)
class Ended:
    """How a round ended: with its report, refused in one line, or killed and with neither.

    Attributes:
        report: The report.
        refused: The line.
        unwritten: The write that a full disk refused.
    """

    report: dict[str, Any] | None = None
    refused: str = ""
    unwritten: str = ""


@dataclass(frozen=True)
class Order:
    """A round to run.

    Attributes:
        config: The loop's configuration.
        out: Where its report goes.
        point: Where it is killed, if it gets there (see `killed_round`).
        full_every: The disk is full at a write that none of the rounds before met: every n-th of these; 0: never.
        stays: The disk stays full.
        clock: Seconds by which the clock is wrong, from the point on: `[("", 3600.0), ("after:train", 0.0)]`.
        again: Run also when nothing is new.
    """

    config: dict[str, Any]
    out: str
    point: str = ""
    full_every: int = 0
    stays: bool = True
    clock: Sequence[tuple[str, float]] = ()
    again: bool = False


class ForkedRounds:
    """The process that is forked. Use as a context manager.

    Args:
        folder: Where it writes: reports, and what it logs.
        environ: Its environment variables.

    Attributes:
        writes: How many different writes were met by rounds with a full disk.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._folder, self.writes = folder, 0
        with (folder / "rounds.log").open("w") as errors:
            self._process = subprocess.Popen(
                [sys.executable, __file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=dict(environ),
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._process:
            _pipe(self._process.stdin).close()

    def run(self, config: LoopConfig, point: str = "", **options: Any) -> Ended:
        """Run one round; the options are those of an `Order`."""
        out = self._folder / "out.json"
        order = Order(config.model_dump(mode="json"), str(out), point, **options)
        print(json.dumps(vars(order)), file=_pipe(self._process.stdin), flush=True)
        status, unwritten, self.writes = json.loads(_pipe(self._process.stdout).readline() or '[1, "", 0]')
        if status == KILLED and point:
            return Ended()
        if status == REFUSED:
            return Ended(refused=out.read_text(), unwritten=unwritten)
        assert status == 0, f"{status} {unwritten}" + "\n" + (self._folder / "rounds.log").read_text()[-4000:]
        return Ended(report=json.loads(out.read_text()), unwritten=unwritten)


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe


def _round(order: Order, config: LoopConfig) -> None:
    die = killed_round.die_at(order.point)

    def reach(point: str) -> None:
        for at, seconds in order.clock:
            if at == point:
                set_clock(seconds, config.store)
        die(point)

    reach("")
    try:
        killed_round.take_round(config, order.out, reach, order.again)
    except SpanloopError as error:
        Path(order.out).write_text(str(error))
        set_clock(0.0, config.store)
        os._exit(REFUSED)
    set_clock(0.0, config.store)


@dataclass
class _Server:
    disk: FullDisk = field(default_factory=FullDisk)

    def answer(self, order: Order) -> list[Any]:
        work: Callable[[], None] = partial(_round, order, LoopConfig.model_validate(order.config))
        if not order.full_every:
            return [killed_round.child(work), "", len(self.disk.met)]
        self.disk.every, self.disk.spared = order.full_every, (Path(order.out).parent,)
        before = len(self.disk.refused)
        status = self.disk.run(work, stays=order.stays)
        return [status, " ".join(map(str, self.disk.refused[before:])), len(self.disk.met)]


def _serve() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a round prints is no answer
    killed_round.import_before_forking()
    server = _Server()
    for line in sys.stdin:
        print(json.dumps(server.answer(Order(**json.loads(line)))), file=answers, flush=True)


if __name__ == "__main__":
    _serve()
