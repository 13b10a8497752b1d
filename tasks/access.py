"""How tasks reach Argilla: the key from the environment, the local credentials, or a Prefect Secret block by name."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from prefect import Task, task
from prefect.blocks.system import Secret
from prefect.cache_policies import NO_CACHE

from spanloop.argilla.client import ArgillaClient
from spanloop.config import LoopConfig
from spanloop.errors import ArgillaUnreachable, ConfigError

P = ParamSpec("P")
R = TypeVar("R")


def connect(config: LoopConfig) -> ArgillaClient:
    """Open a client for the Argilla of the configuration.

    Args:
        config: Names the server and where its key is kept; holds no key itself.

    Returns:
        The client; use it as a context manager.

    Raises:
        ConfigError: The Secret block does not exist.
    """
    name = config.argilla.api_key_block
    return ArgillaClient(config.argilla, api_key=_secret(name) if name else None)


def _secret(name: str) -> str:
    try:
        block = cast(Secret, Secret.load(name))
    except ValueError:
        raise ConfigError(f"argilla.api_key_block: there is no Prefect Secret block {name!r}; create it") from None
    return str(block.get())


def _may_pass(task: object, run: object, state: object) -> bool:
    """Retry only what time can heal: a server that does not answer.

    Args:
        task: The task.
        run: Its run.
        state: The failed state.

    Returns:
        True to try again.
    """
    return isinstance(getattr(state, "data", None), ArgillaUnreachable)


def argilla_task(name: str) -> Callable[[Callable[P, R]], Task[P, R]]:
    """Make a task that talks to Argilla: it is tried again while the server does not answer.

    Args:
        name: The task's name.

    Returns:
        The decorator.
    """
    delays: list[float] = [5, 30]
    return task(
        name=name,
        cache_policy=NO_CACHE,
        retries=len(delays),
        retry_delay_seconds=delays,
        retry_condition_fn=_may_pass,
        timeout_seconds=3600,
    )
