"""One of several training processes: `python -m spanloop.training.worker REQUEST.json`, started by `launch`."""

import json
import logging
import os
import sys
from dataclasses import asdict
from pathlib import Path

from spanloop.errors import SpanloopError
from spanloop.processes.watchdog import end_with_stdin
from spanloop.training.job import run_job
from spanloop.training.launch import LOG, PROBLEM, PROGRESS, RESULT, Request
from spanloop.training.outcome import TrainProgress


def main(path: str) -> int:
    """Train as one of several processes, as the request file says.

    Returns:
        The exit code: 0, or 2 with the problem reported.
    """
    end_with_stdin()
    if os.environ.get("RANK", "0") == "0":
        logging.basicConfig(level=logging.WARNING, format=f"{LOG} %(message)s", stream=sys.stdout)
        logging.getLogger("spanloop").setLevel(logging.INFO)
    try:
        result = run_job(Request.read(Path(path)).job(_report))
    except SpanloopError as error:
        _say(PROBLEM, {"type": type(error).__name__, "message": str(error)})
        return 2
    if os.environ.get("RANK", "0") == "0":
        _say(RESULT, result.to_dict())
    return 0


def _report(progress: TrainProgress) -> None:
    _say(PROGRESS, asdict(progress))


def _say(kind: str, content: object) -> None:
    sys.stdout.write(f"{kind} {json.dumps(content)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
