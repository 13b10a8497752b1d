"""The work folder of one round: where its steps leave what they made, so that a round that was killed goes on.

A round holds the store's lock from its first step to its last. Its folder `work/r0003` belongs to the number that the
round will be published under, so the next attempt after a crash finds it again. What a step leaves there is named by
content; `begin_round` throws away what belongs to other annotations or settings.
"""

import functools
import logging
import re
import shutil
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from spanloop.config import LoopConfig
from spanloop.durable import told_as_store_errors
from spanloop.errors import ConfigError, StoreError
from spanloop.rounds.figures import Figures, StepName
from spanloop.rounds.lineage import lineage
from spanloop.rounds.report import RoundReport
from spanloop.store import Store
from spanloop.store.contents import FINGERPRINTS, NAMES, WAITING
from spanloop.store.jsonl import read_cache, read_json, write_json
from spanloop.store.pruning import prune

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Figures)
SCORES = "scores"  # the work folder of what models in service said about texts, kept between rounds
LOOKS = "looks"  # that of the last look for news
_SCORES_OF = re.compile(r"(?P<model>m\d+-[0-9a-f]+)-(test-)?[0-9a-f]+\.jsonl?")
_JUDGED = 8  # models before the round's own whose choice on the same records is made good in the champion's F1

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

    @property
    def records(self) -> Path:
        """All records of the dataset, as JSON lines; made by `pull`."""
        return self.folder / "records.jsonl"

    @property
    def annotations(self) -> Path:
        """One annotation a line; made by `annotations`."""
        return self.folder / "annotations.jsonl"

    @property
    def fingerprints(self) -> Path:
        """Hash of each annotation by record id, which the next round compares its own with."""
        return self.folder / FINGERPRINTS

    @property
    def waiting(self) -> Path:
        """Hash of the text of each record that waits, by record id; the next round compares its own with it."""
        return self.folder / WAITING

    @property
    def queue(self) -> Path:
        """`priority` (0..1, higher is sooner) and `uncertainty` by record id; made by `prioritise`."""
        return self.folder / "queue.json"

    def earlier(self, step: StepName) -> Figures | None:
        """What is common to all sections, of a step that an attempt before this one took; None if none did."""
        return read_cache(self._journal / f"{step}.json", _FIGURES)

    def keep(self, step: StepName, section: F) -> F:
        """Write a step's section into the journal, and give it back."""
        self._journal.mkdir(exist_ok=True)
        write_json(self._journal / f"{step}.json", section.model_dump(mode="json"))
        return section

    def forget(self, *, but: Collection[StepName]) -> None:
        """Take the sections of all other steps out of the journal."""
        for path in self._journal.glob("*.json"):
            if path.stem not in but:
                path.unlink()

    @property
    def _journal(self) -> Path:
        return self.folder / "journal"


class Start(BaseModel):
    """What a round starts from, the same for all attempts at the same work.

    Attributes:
        key: Hash of the annotations and settings.
        champion: The version in service then: a challenger is compared with it also when an earlier attempt died after
            it had put the challenger into service.
        started_at: ISO 8601 in UTC.
        challenger: The round's own version, named before it goes into service.
    """

    key: str
    champion: str | None
    started_at: str
    challenger: str | None = None


_FIGURES, _START = TypeAdapter(Figures), TypeAdapter(Start)


def in_round(config: LoopConfig, steps: Callable[Concatenate[Work, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Take the steps of the next round, or of the one that was interrupted, and hold the store meanwhile.

    Args:
        config: Names the store.
        steps: The steps, given the round's work first.
        args: Further arguments of the steps.
        kwargs: Likewise.

    Returns:
        What the steps return.

    Raises:
        RoundInProgress: Another round holds the store.
        ConfigError: The store is a relative path: a run on a server has no folder of the user's to start from.
    """
    if not Path(config.store).is_absolute():
        raise ConfigError(f"store {config.store!r} is relative; a run needs the full path, e.g. /data/{config.store}")
    store = Store(config.store)
    with told_as_store_errors("run a round", store.root), store.lock("a round"):
        store.clean()
        name = store.next_name("rounds")
        if begun(store, name) is None:  # whoever goes on where a round was interrupted sees the models that it saw
            prune(store, config.retention)
        for problem in store.pass_over_damaged():
            log.warning("%s; until then the model before it serves", problem)
        return steps(Work(name, store.work(name), config), *args, **kwargs)


def read_round(store: Store, name: str) -> RoundReport:
    """The record of a published round.

    Raises:
        StoreError: It is damaged.
    """
    path = store.path("rounds", name) / "round.json"
    try:
        return RoundReport.model_validate(read_json(path))
    except ValidationError:
        raise StoreError(f"{path} is no record of a round; remove {path.parent}, nothing depends on it") from None


def last_round(store: Store) -> RoundReport | None:
    """The record of the last published round that is whole; None before the first."""
    return next(readable_rounds(store), None)


def readable_rounds(store: Store) -> Iterator[RoundReport]:
    """The records of published rounds, the last one first; a damaged one is told in the log and passed over."""
    for name in reversed(store.names("rounds")):
        try:
            yield read_round(store, name)
        except StoreError as error:
            log.warning("%s", error)


def judged_models(store: Store) -> list[str]:
    """The challengers that were judged lately and are still there, oldest first, each once."""
    there, found = set(store.names("models")), list[str]()
    for past in readable_rounds(store):
        figures = past.figures
        challenger = figures.train.challenger if figures and figures.gate.decision else None
        if challenger in there and challenger not in found:
            found.append(challenger)
        if len(found) == _JUDGED:
            break
    return found[::-1]


def begin_round(work: Work, key: str, now: str) -> None:
    """Note what the round starts from; another key than that of an interrupted attempt starts afresh.

    Args:
        work: The round's work.
        key: Hash of the annotations and settings.
        now: The time, ISO 8601 in UTC.
    """
    start, champion = begun(work.store, work.name), work.store.champion()
    if start and start.key == key and champion in (start.champion, start.challenger):
        return
    work.forget(but=("pull", "annotations"))
    _note_start(work, Start(key=key, champion=champion, started_at=now))


def begun(store: Store, name: str) -> Start | None:
    """What a round that is not published starts from; None if it has not begun."""
    return read_cache(_start_file(store, name), _START)


def start_of(work: Work) -> Start:
    """What this round starts from."""
    return begun(work.store, work.name) or Start(key="", champion=work.store.champion(), started_at=now())


def name_challenger(work: Work, challenger: str) -> None:
    """Note the challenger before it goes into service, so that the next attempt knows it as this round's own."""
    _note_start(work, start_of(work).model_copy(update={"challenger": challenger}))


def _note_start(work: Work, start: Start) -> None:
    write_json(_start_file(work.store, work.name), start.model_dump(mode="json"))


def _start_file(store: Store, name: str) -> Path:
    return store.root / "work" / name / "start.json"


def discard(work: Work) -> None:
    """Remove the work folder of a round that ended, trainings that none goes on with, and scores that are of no use."""
    for folder in (work.folder, *work.folder.parent.glob("train-*")):
        if NAMES["work"].fullmatch(folder.name):
            shutil.rmtree(folder, ignore_errors=True)
    on_curve = (model.version for model in lineage(work.store))
    used = {work.store.champion(), work.store.previous_champion(), *judged_models(work.store), *on_curve}
    for path in work.store.work(SCORES).iterdir():
        if (ours := _SCORES_OF.fullmatch(path.name)) and ours["model"] not in used:
            path.unlink(missing_ok=True)


def step(
    name: StepName, *, resumes: bool = True
) -> Callable[[Callable[Concatenate[Work, P], F]], Callable[Concatenate[Work, P], F]]:
    """Mark a function as a step of the round: its section goes into the journal, with the time that it took.

    Args:
        name: The step's name in the round's record.
        resumes: Whether another attempt finds what this one made; the time of both then counts.

    Returns:
        The decorator.
    """

    def decorate(function: Callable[Concatenate[Work, P], F]) -> Callable[Concatenate[Work, P], F]:
        def timed(work: Work, /, *args: P.args, **kwargs: P.kwargs) -> F:
            began, earlier = time.perf_counter(), work.earlier(name) if resumes else None
            with told_as_store_errors(f"go through the step {name!r}", work.store.root):
                section = function(work, *args, **kwargs)
                took = time.perf_counter() - began + (earlier.seconds if earlier else 0.0)
                return work.keep(name, section.model_copy(update={"seconds": round(took, 3)}))

        return functools.update_wrapper(timed, function)

    return decorate


def now() -> str:
    """The time, ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")
