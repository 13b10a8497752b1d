"""The first steps of a round: what annotators submitted becomes a snapshot."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from spanloop import snapshot as snapshots
from spanloop.annotations.acceptance import acceptance
from spanloop.annotations.agreement import agreement
from spanloop.annotations.resolve import resolve
from spanloop.argilla.client import ArgillaClient
from spanloop.argilla.dataset import find_dataset
from spanloop.argilla.links import queue_link
from spanloop.argilla.meanings import follow_labels
from spanloop.argilla.properties import prepare_dataset
from spanloop.argilla.pull import pull
from spanloop.argilla.sending import count_anew
from spanloop.errors import StoreError
from spanloop.records import Record
from spanloop.rounds.figures import AnnotationFigures, PullFigures, SnapshotFigures
from spanloop.rounds.grouping import Unmoved, grouped, known_dealing
from spanloop.rounds.holding import hold
from spanloop.rounds.identity import digest, fingerprints, settings_of
from spanloop.rounds.news import changed_since
from spanloop.rounds.readiness import readiness
from spanloop.rounds.relabelling import in_words, relabellings
from spanloop.rounds.waiting import is_unordered, noting_waiting
from spanloop.rounds.work import Work, last_round, now, step
from spanloop.snapshot import SnapshotInfo
from spanloop.store.jsonl import read_annotations, read_records, write_annotations, write_json, write_records
from spanloop.store.pruning import pin

log = logging.getLogger(__name__)


@step("pull", resumes=False)
def pull_records(work: Work, client: ArgillaClient) -> PullFigures:
    """Copy every record of the dataset, responses and suggestions included, into the work folder.

    Args:
        work: The round's work.
        client: Talks to Argilla.

    Returns:
        The labels, and how many records there are.

    Raises:
        StoreError: The dataset belongs to another store; nothing was changed.
    """
    dataset = find_dataset(client, work.config)
    hold(work.store, client, dataset, prepare_dataset(client, dataset, work.config.task), now())
    follow_labels(client, dataset.id, dataset.question_id, work.config.task)
    counts, options = Counter[str](), Counter[str]()
    unmoved = Unmoved()
    lost: list[Record] = []
    pulled = _reopened(pull(client, dataset), dataset.min_submitted, lost)
    _write_records(work, _optioned(pulled, options), counts, unmoved)
    count_anew(client, dataset, lost)
    log.info(
        "pull: %d records, %d submitted, %d pending, %d of them not in the queue", *(counts[name] for name in _COUNTED)
    )
    if unmoved.regrouped:
        log.warning("pull: %d records keep the group they had, not that of their metadata", len(unmoved.regrouped))
    if unmoved.resplit:
        log.warning("pull: %d records keep the split they had, not that of the settings", len(unmoved.resplit))
    if lost:
        log.warning("pull: %d records wait again, for responses that completed them went with their users", len(lost))
    if counts["unanswered"]:
        log.warning("pull: %d responses leave %r unanswered and do not count", counts["unanswered"], dataset.question)
    if relabelled := relabellings(options.elements(), work.config.task):
        log.info("pull: submitted spans under options that task.mapping names: %s", in_words(relabelled))
    return PullFigures(
        labels=tuple(dataset.labels),
        min_submitted=dataset.min_submitted,
        regrouped=tuple(unmoved.regrouped),
        resplit=tuple(unmoved.resplit),
        relabelled=relabelled,
        queue_link=queue_link(work.config.argilla.api_url, dataset.id),
        **{name: counts[name] for name in _COUNTED},
    )


def _write_records(work: Work, pulled: Iterable[Record], counts: Counter[str], unmoved: Unmoved) -> None:
    """Write the records, those that wait, and what the store keeps of them for good."""
    dealing, waiting = known_dealing(work.store, work.config.splits), dict[str, str]()
    records = noting_waiting(grouped(pulled, dealing, unmoved), waiting)
    write_records(work.records, _counted(records, counts))
    write_json(work.waiting, waiting)
    if dealing != work.store.groups.read(work.config.splits):
        work.store.groups.write(dealing)


_COUNTED = ("records", "submitted", "pending", "unordered")


def _counted(records: Iterable[Record], counts: Counter[str]) -> Iterator[Record]:
    for record in records:
        counts["records"] += 1
        counts["submitted"] += bool(record.submitted)
        counts["pending"] += not record.responses
        counts["unordered"] += is_unordered(record)
        counts["unanswered"] += sum(r.status == "submitted" and not r.answered for r in record.responses)
        yield record


def _reopened(records: Iterable[Record], min_submitted: int, lost: list[Record]) -> Iterator[Record]:
    """Records as they come, those pending that lost the responses which completed them."""
    for record in records:
        there = sum(response.status == "submitted" for response in record.responses)
        if record.status == "completed" and there < min_submitted:
            lost.append(record)
            yield replace(record, status="pending")
        else:
            yield record


def _optioned(records: Iterable[Record], options: Counter[str]) -> Iterator[Record]:
    """Records as they come, their submitted spans counted whose option means another label, or none."""
    for record in records:
        options.update(span.label for response in record.submitted for span, _ in response.relabelled)
        yield record


@step("annotations", resumes=False)
def resolve_annotations(work: Work, pulled: PullFigures) -> AnnotationFigures:
    """Turn the submitted responses of each record into one annotation, and measure agreement and acceptance.

    Args:
        work: The round's work, with the records.
        pulled: The labels.

    Returns:
        What they amount to.
    """
    records = [record for record in read_records(work.records) if record.submitted]
    overlapping = work.config.task.allow_overlapping
    resolution = resolve(records, work.config.annotations, pulled.min_submitted, allow_overlapping=overlapping)
    found, prints = resolution.annotations, fingerprints(resolution.annotations)
    write_annotations(work.annotations, found)
    write_json(work.fingerprints, prints)
    for aside in resolution.aside:
        log.warning("annotations: record %s is set aside: %s", aside.record_id, aside.reason)
    last = last_round(work.store)
    since = changed_since(work.store, last.round, found) if last else {a.record_id for a in found}
    log.info(
        "annotations: %d records, %d since the last round, %d spans lost", len(found), len(since), len(resolution.lost)
    )
    return AnnotationFigures(
        annotated=len(found),
        key=digest([prints, list(pulled.labels), settings_of(work.config)]),
        lost=tuple(resolution.lost),
        moved=tuple(resolution.moved),
        aside=tuple(resolution.aside),
        agreement=agreement(records),
        acceptance=acceptance(records, found),
        acceptance_since=acceptance([record for record in records if record.id in since], found),
    )


@step("snapshot")
def publish_snapshot(work: Work, pulled: PullFigures, annotated: AnnotationFigures) -> SnapshotFigures:
    """Publish the annotations as a snapshot, or find the one that holds exactly them.

    Args:
        work: The round's work, with the annotations.
        pulled: The labels.
        annotated: What is known of the annotations.

    Returns:
        The snapshot, and whether it has enough to train and judge a model.
    """
    config = work.config
    if not annotated.annotated:
        ready = readiness({}, config.round)
        log.info("snapshot: none, nothing is annotated yet")
        return SnapshotFigures(version=None, ready=False, message=ready.message)
    info = snapshots.build(
        work.store,
        read_annotations(work.annotations),
        pulled.labels,
        config.splits,
        annotated.agreement,
        dealing=known_dealing(work.store, config.splits),
        lost=annotated.lost,
        moved=annotated.moved,
    )
    ready = readiness(info.counts, config.round)
    log.info("snapshot: %s, %s (%s)", info.version, ready.message, "new" if info.new else "unchanged")
    return SnapshotFigures(
        version=info.version, ready=ready.ready, message=ready.message, counts=info.counts, hub=_share(work, info)
    )


def _share(work: Work, info: SnapshotInfo) -> str:
    """Push the snapshot to the Hub where that is configured; a Hub that refuses does not stop the round."""
    hub = work.config.hub
    if not hub.push_to_hub:
        return ""
    from spanloop.snapshot.hub import push_to_hub

    try:
        pushed = push_to_hub(info.path, hub.push_to_hub, private=hub.private)
    except StoreError as error:
        log.warning("hub: %s", error)
        return str(error)
    pin(work.store, info.version)  # what others may refer to stays
    said = f"{info.version} {'is now' if pushed else 'was already'} on the Hub as {hub.push_to_hub}"
    log.info("hub: %s", said)
    return said
