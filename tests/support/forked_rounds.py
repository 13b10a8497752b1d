"""Rounds one after the other, each in a fork of one process that has imported everything: half a second a round.

    python forked_rounds.py

reads a JSON list `[CONFIG, POINT, OUT]` a line, runs the round, killed at the point if it gets there, and answers with
the fork's exit status: -9 killed, 0 with the report in OUT, `REFUSED` with one line in OUT.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, Self

import killed_round

from spanloop.config import LoopConfig
from spanloop.errors import SpanloopError

KILLED, REFUSED = -9, 2


@dataclass(frozen=True)
class Ended:
    """How a round ended: with its report, refused in one line, or killed and with neither."""

    report: dict[str, Any] | None = None
    refused: str = ""


class ForkedRounds:
    """The process that is forked. Use as a context manager.

    Args:
        folder: Where it writes: reports, and what it logs.
        environ: Its environment variables.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._folder = folder
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

    def run(self, config: LoopConfig, point: str = "") -> Ended:
        """Run one round, killed at a point (see `killed_round`) if it gets there."""
        out = self._folder / "out.json"
        order = [config.model_dump(mode="json"), point, str(out)]
        print(json.dumps(order), file=_pipe(self._process.stdin), flush=True)
        status = int(_pipe(self._process.stdout).readline() or "1")
        if status == KILLED and point:
            return Ended()
        if status == REFUSED:
            return Ended(refused=out.read_text())
        assert status == 0, (self._folder / "rounds.log").read_text()[-4000:]
        return Ended(report=json.loads(out.read_text()))


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe


def _round(config: LoopConfig, point: str, out: str) -> None:
    try:
        killed_round.take_round(config, point, out)
    except SpanloopError as error:
        Path(out).write_text(str(error))
        os._exit(REFUSED)


def _serve() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a round prints is no answer
    killed_round.import_before_forking()
    for line in sys.stdin:
        tree, point, out = json.loads(line)
        config = LoopConfig.model_validate(tree)
        print(killed_round.child(partial(_round, config, point, out)), file=answers, flush=True)


if __name__ == "__main__":
    _serve()
