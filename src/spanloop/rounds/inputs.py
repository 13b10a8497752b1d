"""The first steps of a round: what annotators submitted becomes a snapshot."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from spanloop import snapshot as snapshots
from spanloop.annotations import resolve as resolving
from spanloop.annotations.acceptance import acceptance
from spanloop.annotations.agreement import AgreementReport, agreement
from spanloop.argilla.client import ArgillaClient
from spanloop.argilla.dataset import find_dataset, queue_link
from spanloop.argilla.pull import pull
from spanloop.errors import StoreError
from spanloop.records import Record, Span
from spanloop.rounds.identity import digest, fingerprints, settings_of
from spanloop.rounds.news import News, changed_since, find_news
from spanloop.rounds.readiness import readiness
from spanloop.rounds.work import Work, begin_round, last_round, now, step
from spanloop.snapshot import SnapshotInfo
from spanloop.spans import LostSpan
from spanloop.store.jsonl import read_annotations, read_records, write_annotations, write_json, write_records

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pulled:
    """What came from Argilla.

    Attributes:
        path: All records, as JSON lines.
        labels: The labels of the question, in its order.
        records: Records in the dataset.
    """

    path: Path
    labels: tuple[str, ...]
    records: int


@dataclass(frozen=True, slots=True)
class Annotated:
    """What the submitted responses amount to.

    Attributes:
        path: The annotations, as JSON lines.
        records: How many there are.
        key: Hash of the annotations and of the settings: what this round works on.
    """

    path: Path
    records: int
    key: str


@dataclass(frozen=True, slots=True)
class Snapshotted:
    """The snapshot of the round.

    Attributes:
        version: E.g. `v0007-3fa9c1d2`; None while nothing is annotated.
        ready: Has it enough to train and judge a model?
        message: What is missing, or what there is.
    """

    version: str | None
    ready: bool
    message: str


@step("pull")
def pull_records(work: Work, client: ArgillaClient) -> Pulled:
    """Copy every record of the dataset, responses and suggestions included, into the work folder.

    Args:
        work: The round's work.
        client: Talks to Argilla.

    Returns:
        Where the records are.
    """
    dataset = find_dataset(client, work.config)
    counts: Counter[str] = Counter()
    path = write_records(work.file("records.jsonl"), _counted(pull(client, dataset), counts))
    link = queue_link(work.config.argilla.api_url, dataset.id)
    work.note("pull", **{name: counts[name] for name in ("records", "submitted", "pending")}, queue_link=link)
    log.info("pull: %(records)d records, %(submitted)d submitted, %(pending)d pending", counts)
    return Pulled(path, tuple(dataset.labels), counts["records"])


def _counted(records: Iterable[Record], counts: Counter[str]) -> Iterator[Record]:
    for record in records:
        counts["records"] += 1
        counts["submitted"] += bool(record.submitted)
        counts["pending"] += not record.responses
        yield record


@step("annotations")
def resolve_annotations(work: Work, pulled: Pulled) -> Annotated:
    """Turn the submitted responses of each record into one annotation, and measure agreement and acceptance.

    Args:
        work: The round's work.
        pulled: The records.

    Returns:
        Where the annotations are.
    """
    records = [record for record in read_records(pulled.path) if record.submitted]
    resolution = resolving.resolve(records, work.config.annotations)
    found = resolution.annotations
    path = write_annotations(work.file("annotations.jsonl"), found)
    write_json(work.file("annotations.json"), fingerprints(found))
    last = last_round(work.store)
    since = changed_since(work.store, last["round"], found) if last else {a.record_id for a in found}
    fresh = [record for record in records if record.id in since]
    work.note(
        "annotations",
        annotated=len(found),
        lost=[asdict(lost) for lost in resolution.lost],
        moved=[asdict(moved) for moved in resolution.moved],
        agreement=asdict(agreement(records)),
        acceptance=acceptance(records, found).to_dict(),
        acceptance_since=acceptance(fresh, found).to_dict(),
    )
    log.info(
        "annotations: %d records, %d since the last round, %d spans lost", len(found), len(since), len(resolution.lost)
    )
    return Annotated(path, len(found), digest([fingerprints(found), list(pulled.labels), settings_of(work.config)]))


@step("snapshot")
def publish_snapshot(work: Work, pulled: Pulled, annotated: Annotated) -> Snapshotted:
    """Publish the annotations as a snapshot, or find the one that holds exactly them.

    Args:
        work: The round's work.
        pulled: Names the labels.
        annotated: The annotations.

    Returns:
        The snapshot, and whether it has enough to train and judge a model.
    """
    if not annotated.records:
        ready = readiness({}, work.config.round)
        log.info("snapshot: none, nothing is annotated yet")
        return Snapshotted(None, False, ready.message)
    found = read_annotations(annotated.path)
    config = work.config
    labelled = config.model_copy(update={"task": config.task.model_copy(update={"labels": list(pulled.labels)})})
    report = AgreementReport(**work.journal()["annotations"]["agreement"])
    lost, moved = (_lost(work, name) for name in ("lost", "moved"))
    info = snapshots.build(work.store, found, labelled, report, lost=lost, moved=moved)
    ready = readiness(info.counts, config.round)
    _share(work, info)
    work.note("snapshot", version=info.version, counts=dict(info.counts), ready=ready.ready, message=ready.message)
    log.info("snapshot: %s, %s (%s)", info.version, ready.message, "new" if info.new else "unchanged")
    return Snapshotted(info.version, ready.ready, ready.message)


def _lost(work: Work, kind: str) -> list[LostSpan]:
    """The lost or moved spans that `resolve_annotations` noted."""
    noted = work.journal().get("annotations", {}).get(kind, [])
    return [LostSpan(x["record_id"], Span(**x["span"]), x["reason"]) for x in noted]


def _share(work: Work, info: SnapshotInfo) -> None:
    """Push the snapshot to the Hub where that is configured; a Hub that refuses does not stop the round."""
    hub = work.config.hub
    if not hub.push_to_hub:
        return
    from spanloop.snapshot.hub import push_to_hub

    try:
        pushed = push_to_hub(info.path, hub.push_to_hub, private=hub.private)
        said = f"{info.version} {'is now' if pushed else 'was already'} on the Hub as {hub.push_to_hub}"
        log.info("hub: %s", said)
    except StoreError as error:
        said = str(error)
        log.warning("hub: %s", said)
    work.note("snapshot", hub=said)


def begin_with_news(work: Work, pulled: Pulled, annotated: Annotated, again: bool) -> News:
    """Begin the round if it has anything to do.

    Args:
        work: The round's work.
        pulled: The records.
        annotated: The annotations.
        again: Go on in any case.

    Returns:
        The news, or that there is none.
    """
    news = find_news(work.store, work.config, read_annotations(annotated.path), pulled.records)
    if again and not news.anything:
        news = News(True, f"asked to run again; {news.reason}")
    if news.anything:
        begin_round(work, annotated.key, now())
    log.info("%s: %s", work.name, news.reason)
    return news
