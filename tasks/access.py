"""Tasks that talk to Argilla."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from prefect import Task, task
from prefect.cache_policies import NO_CACHE

from spanloop.errors import ArgillaUnreachable

P = ParamSpec("P")
R = TypeVar("R")


def _may_pass(task: object, run: object, state: object) -> bool:
    """Retry only what time can heal: a server that does not answer."""
    return isinstance(getattr(state, "data", None), ArgillaUnreachable)


def argilla_task(name: str) -> Callable[[Callable[P, R]], Task[P, R]]:
    """Make a task that talks to Argilla: it is tried again twice, within 35 seconds, while the server is away."""
    delays: list[float] = [5, 30]
    return task(
        name=name,
        cache_policy=NO_CACHE,
        retries=len(delays),
        retry_delay_seconds=delays,
        retry_condition_fn=_may_pass,
        timeout_seconds=3600,
    )
