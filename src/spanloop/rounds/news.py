"""Is there anything to do? Decided from counts and hashes, without torch, datasets or Prefect."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from spanloop.annotations.resolve import resolve
from spanloop.argilla.client import ArgillaClient
from spanloop.argilla.dataset import find_dataset
from spanloop.argilla.links import queue_link
from spanloop.argilla.pull import pull_submitted
from spanloop.config import LoopConfig
from spanloop.errors import ArtifactDamaged, StoreError
from spanloop.records import Annotation
from spanloop.rounds.figures import AnnotationFigures, PullFigures
from spanloop.rounds.grouping import grouped, known_groups
from spanloop.rounds.identity import changed_setting, fingerprints, settings_of
from spanloop.rounds.report import RoundReport, idle_report
from spanloop.rounds.work import Work, begin_round, begun, last_round, now, readable_rounds
from spanloop.store import Store
from spanloop.store.jsonl import read_annotations, read_json

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class News:
    """Whether a round has anything to do, and why.

    Attributes:
        anything: False when a round would change nothing.
        reason: In words, with numbers.
    """

    anything: bool
    reason: str


def look_for_news(work: Work, pulled: PullFigures, annotated: AnnotationFigures, again: bool) -> News:
    """Begin the round if it has anything to do.

    Args:
        work: The round's work.
        pulled: How many records there are.
        annotated: What the round would work on.
        again: Go on in any case.

    Returns:
        The news, or that there is none.
    """
    news = find_news(work.store, work.config, read_annotations(work.annotations), pulled.records)
    if again and not news.anything:
        news = News(True, f"asked to run again; {news.reason}")
    if news.anything:
        begin_round(work, annotated.key, now())
    log.info("%s: %s", work.name, news.reason)
    return news


def look_from_outside(config: LoopConfig, client: ArgillaClient) -> RoundReport | None:
    """Ask, without a round, whether a round would have anything to do: seconds, and nothing heavy is imported.

    Args:
        config: The configuration.
        client: Talks to Argilla.

    Returns:
        The report of a round that would have nothing to do; None if there is work.

    Raises:
        RoundInProgress: A round is running.
        ArgillaError: Argilla cannot be asked.
    """
    store = Store(config.store)
    dataset = find_dataset(client, config)
    last = last_round(store)
    with store.lock("a look for news"):
        pass
    if last is None:
        return None
    submitted = grouped(pull_submitted(client, dataset), known_groups(store), [])
    annotations = resolve(submitted, config.annotations, dataset.min_submitted).annotations
    records = client.get(f"datasets/{dataset.id}/progress")["total"]
    news = find_news(store, config, annotations, records)
    if news.anything:
        return None
    return idle_report(last, news.reason, queue_link(config.argilla.api_url, dataset.id), now())


def find_news(store: Store, config: LoopConfig, annotations: list[Annotation], records: int) -> News:
    """Compare what is there now with what the last round saw.

    Args:
        store: The store.
        config: The configuration now.
        annotations: Everything annotated now.
        records: Records in Argilla now.

    Returns:
        The first piece of news, or that there is none.
    """
    last = last_round(store)
    if last is None or last.inputs is None or last.figures is None:
        return News(True, f"the first round: {len(annotations)} of {records} records are annotated")
    if begun(store, coming := store.next_name("rounds")):
        return News(True, f"{coming} was interrupted; it goes on")
    if setting := changed_setting(last.inputs.settings, settings_of(config)):
        return News(True, f"{setting} was changed since {last.round}")
    if (champion := store.champion()) != last.champion:
        return News(True, f"the champion is {champion or 'none'}; it was {last.champion or 'none'} after {last.round}")
    if records != last.figures.pull.records:
        return News(True, f"{records} records, {last.figures.pull.records} in {last.round}")
    return _annotated_since(store, last.round, annotations, config.round.min_new)


def _annotated_since(store: Store, name: str, annotations: list[Annotation], needed: int) -> News:
    changed = len(changed_since(store, name, annotations))
    if changed >= needed:
        return News(True, f"{changed} records annotated or changed since {name}")
    if changed:
        return News(False, f"nothing new since {name}: {changed} records annotated or changed, {needed} needed")
    return News(False, f"nothing new since {name}: {len(annotations)} records are annotated")


def changed_since(store: Store, name: str, annotations: list[Annotation]) -> set[str]:
    """Ids of the records that were annotated, changed or withdrawn since a round.

    Args:
        store: The store.
        name: The round to compare with.
        annotations: Everything annotated now.

    Returns:
        Record ids.
    """
    before: Mapping[str, str] = {}
    try:
        before = read_json(store.path("rounds", name) / "annotations.json") or {}
    except StoreError as error:
        log.warning("%s; all annotations count as changed", error)
    now = fingerprints(annotations)
    return {record_id for record_id in before.keys() | now.keys() if before.get(record_id) != now.get(record_id)}


def judged_before(store: Store, snapshot: str, training: str) -> str | None:
    """The round that already judged a model of the same snapshot, training and gate; None if none did.

    A model that was judged is not judged again, unless it is damaged or gone.

    Args:
        store: The store.
        snapshot: The snapshot's version.
        training: Hash of the training and gate settings.

    Returns:
        The round's name.
    """
    models = set(store.names("models"))
    for past in readable_rounds(store):
        if past.inputs is None or past.figures is None or past.figures.train.challenger not in models:
            continue
        if past.inputs.training == training and past.figures.snapshot.version == snapshot:
            return past.round if _is_whole(store, past.figures.train.challenger) else None
    return None


def _is_whole(store: Store, model: str) -> bool:
    try:
        store.verify("models", model)
    except ArtifactDamaged:
        return False
    return True
