"""Is there anything to do? Decided from hashes, without torch, datasets or Prefect."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from spanloop.config import LoopConfig
from spanloop.errors import ArtifactDamaged, StoreError
from spanloop.records import Annotation
from spanloop.rounds.figures import AnnotationFigures, PullFigures
from spanloop.rounds.identity import changed_setting, fingerprints, settings_of
from spanloop.rounds.report import RoundReport
from spanloop.rounds.waiting import Waiting, told_change, waiting_before
from spanloop.rounds.work import Work, begin_round, begun, last_round, now, readable_rounds
from spanloop.store import Store
from spanloop.store.contents import FINGERPRINTS
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
    annotations, waiting = read_annotations(work.annotations), read_json(work.waiting)
    news = find_news(work.store, work.config, annotations, pulled.records, waiting, unordered=pulled.unordered)
    if again and not news.anything:
        news = News(True, f"asked to run again; {news.reason}")
    if news.anything:
        begin_round(work, annotated.key, now())
    log.info("%s: %s", work.name, news.reason)
    return news


def find_news(
    store: Store,
    config: LoopConfig,
    annotations: list[Annotation],
    records: int,
    waiting: Waiting | None,
    *,
    unordered: int = 0,
) -> News:
    """Compare what is there now with what the last round saw.

    Args:
        store: The store.
        config: The configuration now.
        annotations: Everything annotated now.
        records: Records in Argilla now.
        waiting: Those of them that wait for annotators; None: nothing has changed among those.
        unordered: How many of those have no place in the queue.

    Returns:
        The first piece of news, or that there is none.
    """
    if (last := last_round(store)) is None:
        return News(True, f"the first round: {len(annotations)} of {records} records are annotated")
    if reason := _changed_here(store, config, last) or _changed_there(store, last, records, waiting, unordered):
        return News(True, reason)
    return _annotated_since(store, last.round, annotations, config.round.min_new)


def _changed_here(store: Store, config: LoopConfig, last: RoundReport) -> str:
    """What is new in store and configuration."""
    if last.inputs is None or last.figures is None:
        return f"{last.round} does not say what it worked on"
    if begun(store, coming := store.next_name("rounds")):
        return f"{coming} was interrupted; it goes on"
    if setting := changed_setting(last.inputs.settings, settings_of(config)):
        return f"{setting} was changed since {last.round}"
    if (champion := store.champion()) != last.champion:
        return f"the champion is {champion or 'none'}; it was {last.champion or 'none'} after {last.round}"
    if store.binding.read().adopted:
        return f"the dataset was adopted since {last.round}; what another store suggested there is gone over"
    return ""


def _changed_there(store: Store, last: RoundReport, records: int, waiting: Waiting | None, unordered: int) -> str:
    """What is new of the records in Argilla, annotations apart."""
    seen = last.figures.pull.records if last.figures else 0
    if records != seen:
        return f"{records} records, {seen} in {last.round}"
    if waiting is None:
        return ""
    if (before := waiting_before(store)) is None:
        return f"{last.round} does not say which texts waited"
    if change := told_change(before, waiting):
        return f"{change} among the records that wait, since {last.round}"
    return f"{unordered} of the records that wait have no place in the queue" if unordered else ""


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
        before = read_json(store.path("rounds", name) / FINGERPRINTS) or {}
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
