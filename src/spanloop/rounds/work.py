"""The work folder of one round: where its steps leave what they made, so that a round that was killed goes on.

A round holds the store's lock from `open_round` to its end. Its folder `work/r0003` belongs to the number that the
round will be published under, so the next attempt after a crash finds it again. What a step leaves there is named by
content; `begin_round` throws away what belongs to other annotations or settings.
"""

import functools
import logging
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from spanloop.config import LoopConfig
from spanloop.errors import ConfigError
from spanloop.store import Store
from spanloop.store.jsonl import read_json, write_json

P = ParamSpec("P")
R = TypeVar("R")
_JOURNAL = "journal.json"
SCORES = "scores"  # the work folder of what models in service said about texts, kept between rounds

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Work:
    """Where one round works.

    Attributes:
        name: The round's name, e.g. `r0003`.
        folder: Its work folder.
        config: The loop's configuration; `config.store` is where the round publishes.
    """

    name: str
    folder: Path
    config: LoopConfig

    @property
    def store(self) -> Store:
        """The store that the round publishes into."""
        return Store(self.config.store)

    def file(self, name: str) -> Path:
        """A file of the work folder."""
        return self.folder / name

    def journal(self) -> dict[str, Any]:
        """What the finished steps noted, step name to figures."""
        return read_json(self.file(_JOURNAL)) or {}

    def note(self, step: str, **figures: object) -> None:
        """Note figures of a step; they stay until the step notes them again."""
        journal = self.journal()
        journal[step] = {**journal.get(step, {}), **figures}
        write_json(self.file(_JOURNAL), journal)


@contextmanager
def open_round(config: LoopConfig) -> Iterator[Work]:
    """Take the store's lock and open the folder of the next round, or of the one that was interrupted.

    Args:
        config: Names the store.

    Yields:
        The round's work.

    Raises:
        RoundInProgress: Another round holds the store.
        ConfigError: The store is a relative path: a run on a server has no folder of the user's to start from.
    """
    if not Path(config.store).is_absolute():
        raise ConfigError(f"store {config.store!r} is relative; a run needs the full path, e.g. /data/{config.store}")
    store = Store(config.store)
    with store.lock("a round"):
        store.clean()
        name = store.next_name("rounds")
        yield Work(name, store.work(name), config)


def last_round(store: Store) -> dict[str, Any] | None:
    """The record of the last published round; None before the first."""
    done = store.names("rounds")
    return read_json(store.path("rounds", done[-1]) / "round.json") if done else None


def begin_round(work: Work, key: str, now: str) -> None:
    """Note what the round starts from, once for all attempts at the same work.

    The champion at the start is what a challenger is compared with, also when an earlier attempt died after it had
    put the challenger into service.

    Args:
        work: The round's work.
        key: Hash of the annotations and settings; another key starts afresh.
        now: The time, ISO 8601 in UTC.
    """
    start = read_json(work.file("start.json"))
    champion = work.store.champion()
    if start and start["key"] == key and champion in (start["champion"], start.get("challenger")):
        return
    keep = {name: value for name, value in work.journal().items() if name in ("pull", "annotations")}
    write_json(work.file(_JOURNAL), keep)
    write_json(work.file("start.json"), {"key": key, "champion": champion, "started_at": now})


def champion_at_start(work: Work) -> str | None:
    """The model in service when the round began, also if an earlier attempt has put the challenger there since."""
    return (begun(work.store, work.name) or {}).get("champion")


def begun(store: Store, name: str) -> dict[str, Any] | None:
    """What `begin_round` noted about a round that is not published; None if it has not begun."""
    start = read_json(store.root / "work" / name / "start.json")
    return dict(start) if start else None


def name_challenger(work: Work, challenger: str) -> None:
    """Note the challenger before it goes into service, so that the next attempt knows it as this round's own."""
    write_json(work.file("start.json"), {**(begun(work.store, work.name) or {}), "challenger": challenger})


def discard(work: Work) -> None:
    """Remove the work folder of a round that ended, and scores of models that are no longer of use."""
    shutil.rmtree(work.folder, ignore_errors=True)
    used = [name for name in (work.store.champion(), work.store.previous_champion()) if name]
    for path in work.store.work(SCORES).iterdir():
        if not path.name.startswith(tuple(used)):
            path.unlink(missing_ok=True)


def step(name: str) -> Callable[[Callable[Concatenate[Work, P], R]], Callable[Concatenate[Work, P], R]]:
    """Mark a function as a step of the round: how long it took is noted under `name`.

    Args:
        name: The step's name in the round's record.

    Returns:
        The decorator.
    """

    def decorate(function: Callable[Concatenate[Work, P], R]) -> Callable[Concatenate[Work, P], R]:
        def timed(work: Work, /, *args: P.args, **kwargs: P.kwargs) -> R:
            began = time.perf_counter()
            result = function(work, *args, **kwargs)
            work.note(name, seconds=round(time.perf_counter() - began, 3))
            return result

        return functools.update_wrapper(timed, function)

    return decorate


def now() -> str:
    """The time, ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")
