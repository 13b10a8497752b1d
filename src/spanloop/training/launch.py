"""Training in several processes through `accelerate launch`; they die with the process that started them.

The children's standard input is a pipe whose other end the parent holds: when the parent goes, however it goes, the
pipe ends, and each child ends itself. Progress comes back as JSON lines on standard output.
"""

import contextlib
import json
import logging
import os
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from spanloop import errors
from spanloop.errors import TrainingError
from spanloop.model.device import available_cpus
from spanloop.records import Split
from spanloop.training.outcome import TrainProgress, TrainResult
from spanloop.training.stopping import sigterm_asks

if TYPE_CHECKING:
    from spanloop.config import TrainingConfig

log = logging.getLogger(__name__)

PROGRESS, LOG, RESULT, PROBLEM = (f"@spanloop-{kind}" for kind in ("progress", "log", "result", "problem"))
_LAST_LINES = 20


@dataclass(frozen=True, slots=True)
class Request:
    """The arguments of `train`, which cross to other processes as a file."""

    snapshot: Path
    config: "TrainingConfig"
    out: Path
    init_from: Path | None

    def job(self, report: Callable[[TrainProgress], None] | None = None) -> Any:
        """Read the snapshot: what is to be trained, in this process."""
        from spanloop.snapshot import read_examples, read_labels
        from spanloop.snapshot.table import read_columns
        from spanloop.training.job import Job

        splits: tuple[Split, ...] = ("train", "validation")
        return Job(
            examples=[example for split in splits for example in read_examples(self.snapshot, split)],
            groups=[group for split in splits for group in read_columns(self.snapshot, split, ["group"])["group"]],
            labels=read_labels(self.snapshot),
            config=self.config,
            out=self.out,
            snapshot=self.snapshot.name,
            start=str(self.init_from) if self.init_from else "",
            report=report or (lambda progress: None),
        )

    def write(self, path: Path) -> None:
        """Write the request as JSON; `Path`s become strings."""
        tree = {"snapshot": str(self.snapshot), "out": str(self.out), "config": self.config.model_dump()}
        tree["init_from"] = str(self.init_from) if self.init_from else ""
        path.write_text(json.dumps(tree), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> "Request":
        """Read what `write` wrote."""
        from spanloop.config import TrainingConfig

        tree = json.loads(path.read_text(encoding="utf-8"))
        config = TrainingConfig.model_validate(tree["config"])
        init_from = Path(tree["init_from"]) if tree["init_from"] else None
        return cls(Path(tree["snapshot"]), config, Path(tree["out"]), init_from)


def run_processes(request: Request, processes: int, progress: Callable[[TrainProgress], None] | None) -> TrainResult:
    """Train in several processes and wait for them; `progress` is called in this one.

    Raises:
        SpanloopError: What a child raised, as the same type.
    """
    request.out.mkdir(parents=True, exist_ok=True)
    path = request.out / "request.json"
    request.write(path)
    environment = {**os.environ, **_environment(processes)}
    child = subprocess.Popen(
        _command(path, processes), env=environment, text=True, encoding="utf-8", errors="replace",
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        with sigterm_asks(child.terminate):
            return _follow(child, progress)
    finally:
        _end(child)
        path.unlink(missing_ok=True)


def _command(path: Path, processes: int) -> list[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    launcher = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", str(processes)]
    plain = [
        "--num_machines",
        "1",
        "--mixed_precision",
        "no",
        "--dynamo_backend",
        "no",
        "--main_process_port",
        str(port),
    ]
    return [*launcher, *plain, "--module", "spanloop.training.worker", str(path)]


def _environment(processes: int) -> dict[str, str]:
    """On CPUs Accelerate is told so, and the processors are shared out."""
    if torch.cuda.is_available():
        return {}
    threads = os.environ.get("OMP_NUM_THREADS") or str(max(1, available_cpus() // processes))
    return {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": threads}


def _follow(child: subprocess.Popen[str], progress: Callable[[TrainProgress], None] | None) -> TrainResult:
    """Pass on what the children say until they are done."""
    said: deque[str] = deque(maxlen=_LAST_LINES)
    result, problem = None, None
    for line in child.stdout or ():
        kind, _, content = line.rstrip("\n").partition(" ")
        if kind == PROGRESS and progress:
            progress(TrainProgress(**json.loads(content)))
        elif kind == LOG:
            log.info(content)
        elif kind == RESULT:
            result = TrainResult(**json.loads(content))
        elif kind == PROBLEM:
            problem = problem or json.loads(content)
        elif kind not in (PROGRESS, ""):
            said.append(line.strip())
    if child.wait() == 0 and result:
        return result
    if problem:
        raise getattr(errors, problem["type"], TrainingError)(problem["message"])
    told = next((line for line in reversed(said) if "Error" in line), said[-1] if said else "no output")
    raise TrainingError(f"the training processes ended with code {child.returncode}: {told}")


def _end(child: subprocess.Popen[str]) -> None:
    """Close the children's standard input, at which they end, and wait for them."""
    for stream in (child.stdin, child.stdout):
        if stream:
            with contextlib.suppress(OSError):
                stream.close()
    try:
        child.wait(timeout=30)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
