"""Work done by processes side by side, each with one thread, so that what comes out does not depend on their number."""

import logging
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import TypeVar

from spanloop.rehearsal.crew import end_with_parent

Job = TypeVar("Job")
Outcome = TypeVar("Outcome")
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")


class SideBySide:
    """Processes that stay: what they import and load serves every job that they get."""

    def __init__(self, processes: int) -> None:
        """Start so many when there is work."""
        os.environ.update(dict.fromkeys(_THREADS, "1"))  # read by libraries when a process loads them
        spawn = multiprocessing.get_context("spawn")  # a forked process cannot use a GPU
        self._pool = ProcessPoolExecutor(processes, mp_context=spawn, initializer=_begin)

    def work(self, function: Callable[[Job], Outcome], jobs: Sequence[Job]) -> Iterator[tuple[Job, Outcome]]:
        """Do jobs, in the order given, and yield each with what came of it, in the order in which they end."""
        waiting = {self._pool.submit(function, job): job for job in jobs}
        for future in as_completed(waiting):
            yield waiting[future], future.result()

    def __enter__(self) -> "SideBySide":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)


def _begin() -> None:
    import torch

    end_with_parent()
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
