"""A look for news without a round: seconds, and nothing heavy is imported.

What people submitted is read, for Argilla does not tell when a submitted answer changes. Of the records that wait only
the time of the latest change of any record is asked; where that moved, their texts are read, and the time is kept.
"""

from datetime import UTC, datetime

from pydantic import BaseModel, TypeAdapter

from spanloop.annotations.resolve import instant, resolve
from spanloop.argilla.client import ArgillaClient
from spanloop.argilla.dataset import DatasetRef, find_dataset
from spanloop.argilla.links import queue_link
from spanloop.argilla.pull import latest_change, pull_pending, pull_submitted
from spanloop.config import LoopConfig
from spanloop.rounds.grouping import grouped, known_dealing
from spanloop.rounds.holding import refuse_if_taken
from spanloop.rounds.news import find_news
from spanloop.rounds.report import RoundReport, idle_report
from spanloop.rounds.waiting import is_unordered, noting_waiting
from spanloop.rounds.work import LOOKS, last_round, now
from spanloop.store import Store
from spanloop.store.jsonl import read_cache, write_json


class Look(BaseModel):
    """What a look saw in Argilla, where nothing was new to the records that wait.

    Attributes:
        round: The last round then.
        active_at: When somebody last answered.
        changed_at: When a record was last changed.
        records: How many records there were.
    """

    round: str
    active_at: str
    changed_at: str
    records: int


_LOOK = TypeAdapter(Look)


def look_from_outside(config: LoopConfig, client: ArgillaClient) -> RoundReport | None:
    """Ask, without a round, whether a round would have anything to do.

    Args:
        config: The configuration.
        client: Talks to Argilla.

    Returns:
        The report of a round that would have nothing to do; None if there is work.

    Raises:
        RoundInProgress: A round is running.
        StoreError: The dataset belongs to another store.
        ArgillaError: Argilla cannot be asked.
    """
    store = Store(config.store)
    dataset = find_dataset(client, config)
    with store.lock("a look for news"):
        refuse_if_taken(store, client, dataset)
    if (last := last_round(store)) is None:
        return None
    records, changed_at = latest_change(client, dataset)
    look = Look(round=last.round, active_at=dataset.active_at, changed_at=changed_at, records=records)
    path, still = store.work(LOOKS) / "look.json", changed_at == "" or instant(changed_at) <= datetime.now(UTC)
    # What is of the future hides what is changed after it, until the clock that was set back is there again.
    waiting, unordered = (None, 0) if still and read_cache(path, _LOOK) == look else _waiting(client, dataset)
    submitted = grouped(pull_submitted(client, dataset), known_dealing(store, config.splits))
    overlapping = config.task.allow_overlapping
    resolution = resolve(submitted, config.annotations, dataset.min_submitted, allow_overlapping=overlapping)
    annotations = resolution.annotations
    news = find_news(store, config, annotations, records, waiting, unordered=unordered)
    if news.anything:
        return None
    write_json(path, look.model_dump())
    return idle_report(last, news.reason, queue_link(config.argilla.api_url, dataset.id), now())


def _waiting(client: ArgillaClient, dataset: DatasetRef) -> tuple[dict[str, str], int]:
    """The records that wait, and how many of them have no place in the queue."""
    waiting: dict[str, str] = {}
    unordered = sum(is_unordered(record) for record in noting_waiting(pull_pending(client, dataset), waiting))
    return waiting, unordered
