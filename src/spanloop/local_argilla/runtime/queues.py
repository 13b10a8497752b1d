"""Background jobs without Redis or a worker process: an in-process fakeredis, and jobs as tasks on the server's loop.

argilla_server hands three kinds of job to rq: webhook calls, record statuses after a change of the distribution, and
imports from and exports to the Hugging Face Hub. A job is kept in fakeredis, so that `GET /jobs/{id}` answers as usual.
Jobs that have not ended when the server stops are given a few seconds and are then lost, as with a Redis that keeps
nothing on disk.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import fakeredis
import redis
import rq
from rq.job import Job, JobStatus

_LOGGER = logging.getLogger("argilla.jobs")
_AT_ONCE = 4
_KEEP_SECONDS = 600

_slots = asyncio.Semaphore(_AT_ONCE)
_running: set[asyncio.Task[None]] = set()
_replaced: dict[str, Callable[..., Awaitable[None]]] = {}


def install() -> None:
    """Replace Redis. Must come before the import of argilla_server, which connects while it is imported."""
    server = fakeredis.FakeServer()
    redis.from_url = lambda url, **kwargs: fakeredis.FakeRedis(server=server)
    rq.Queue._enqueue_job = _enqueue


def replace(name: str, function: Callable[..., Awaitable[None]]) -> None:
    """Run `function` wherever the job `name` (module and function) is asked for."""
    _replaced[name] = function


async def finish(patience: float = 5.0) -> None:
    """Wait `patience` seconds for the running jobs, then cancel what is left."""
    if _running:
        await asyncio.wait(_running, timeout=patience)
    for task in list(_running):
        task.cancel()


def _enqueue(queue: rq.Queue, job: Job, pipeline: Any = None, at_front: bool = False) -> Job:
    """Stand in for `rq.Queue._enqueue_job`: keep the job's record, and start it instead of queueing its id."""
    job.set_status(JobStatus.QUEUED)
    job.save()
    task = asyncio.get_running_loop().create_task(_work(job))
    _running.add(task)
    task.add_done_callback(_running.discard)
    return job


async def _work(job: Job) -> None:
    """Run a job with its retries; a failure is logged without its arguments, which may hold a token."""
    pauses = list(job.retry_intervals or [0])
    for attempt in range(1 + (job.retries_left or 0)):
        if attempt:
            await asyncio.sleep(pauses[min(attempt, len(pauses)) - 1])
        async with _slots:
            job.set_status(JobStatus.STARTED)
            try:
                await _replaced.get(job.func_name, job.func)(*job.args, **job.kwargs)
            except Exception as error:
                _LOGGER.warning("job %s, attempt %d: %s: %s", job.func_name, attempt + 1, type(error).__name__, error)
                job.set_status(JobStatus.SCHEDULED)
            else:
                job.set_status(JobStatus.FINISHED)
                break
    else:
        job.set_status(JobStatus.FAILED)
    job.cleanup(ttl=_KEEP_SECONDS)
