"""The look ahead: what more annotating will bring and cost, from past models, their agreement and annotators' times."""

import logging
from collections.abc import Iterator, Sequence
from heapq import nsmallest
from itertools import islice, pairwise
from statistics import median
from typing import NamedTuple

import numpy as np

from spanloop.annotations.effort import Effort, effort
from spanloop.errors import SpanloopError, StoreError
from spanloop.evaluation.bootstrap import group_counts
from spanloop.evaluation.counts import f1_of, record_counts, total
from spanloop.evaluation.forecast import LEAST, Curve, fit, shared_noise
from spanloop.evaluation.stability import stability
from spanloop.records import Example, Record
from spanloop.rounds.figures import CurvePoint, OutlookFigures, Prospect, PullFigures, Rescored, SnapshotFigures
from spanloop.rounds.grouping import known_dealing
from spanloop.rounds.identity import digest
from spanloop.rounds.lineage import PastModel, lineage
from spanloop.rounds.models import Predictions, predictions_of, test_split
from spanloop.rounds.work import Work, readable_rounds, step
from spanloop.snapshot.table import count_words
from spanloop.store.jsonl import read_records

_SAMPLE = 500  # texts on which models are compared
_BATCH, _ROUNDS = 200, 4  # records of a batch where no rounds tell; rounds that do
_LEAST_SPANS = 30  # as for `evaluation.optimism`: with fewer, F1 is noise
_POINTS = 13  # of the curve in the record

log = logging.getLogger(__name__)

Found = list[tuple[PastModel, Predictions]]


class _Forecast(NamedTuple):
    """The part of the figures that needs a curve."""

    curve: tuple[CurvePoint, ...]
    next_batch: Prospect
    doubled: Prospect | None = None


@step("outlook")
def look_ahead(work: Work, pulled: PullFigures, snapshot: SnapshotFigures) -> OutlookFigures:
    """Rescore past models on the round's test split, and forecast what more records bring and cost.

    Args:
        work: The round's work, with the records.
        pulled: How many records wait.
        snapshot: Holds the test split.

    Returns:
        The figures, with words for what is missing.
    """
    sample, times = _survey(work)
    test, _ = test_split(work, snapshot)
    found = list(_found(work, [*test, *sample])) if test else []
    usual = _usual_batch(work, sum(snapshot.counts.values()))
    batch = min(usual, pulled.pending) or usual
    forecast = _Forecast((), Prospect(records=batch))
    if not (reason := _missing(found, test)):
        forecast = _forecast(_fitted(work, found, test), found, snapshot, batch)
    log.info("outlook: %d past models, %s", len(found), reason or f"F1 forecast for {batch} more records")
    return OutlookFigures(
        models=_rescored(work, found, test),
        curve=forecast.curve,
        next_batch=forecast.next_batch,
        doubled=forecast.doubled,
        missing=reason,
        stability=stability([{text.id: spans[text.id] for text in sample} for _, spans in found]),
        effort=times,
    )


def _survey(work: Work) -> tuple[list[Example], Effort]:
    """Texts that no model ever learns from, the same in every round; and what annotating costs.

    Records whose group is dealt to the test split are such texts, annotated or not, and are drawn by no strategy: what
    holds for them holds for the pool. Of very many, those with the smallest hash are taken.
    """
    answered, dealing = list[Record](), known_dealing(work.store, work.config.splits)

    def held_out() -> Iterator[tuple[str, Example]]:
        for record in read_records(work.records):
            if record.responses:
                answered.append(record)
            if dealing.split_of(record.group) == "test":
                yield digest([record.id, record.text], 16), Example(record.id, record.text, ())

    sample = [example for _, example in nsmallest(_SAMPLE, held_out(), key=lambda keyed: keyed[0])]
    return sample, effort(answered)


def _found(work: Work, texts: Sequence[Example]) -> Iterator[tuple[PastModel, Predictions]]:
    """What each past model finds; one that is damaged is passed over, as no round depends on it."""
    for model in lineage(work.store):
        try:
            yield model, predictions_of(work, model.version, texts)
        except SpanloopError as error:
            log.warning("outlook: %s is left out: %s", model.version, error)


def _rescored(work: Work, found: Found, test: Sequence[Example]) -> tuple[Rescored, ...]:
    return tuple(
        Rescored(
            model=model.version,
            records=model.records,
            words=_words(work, model.snapshot),
            f1=total(record_counts(test, spans)).f1,
        )
        for model, spans in found
    )


def _words(work: Work, snapshot: str) -> int | None:
    try:
        folder = work.store.path("snapshots", snapshot)
        return count_words(folder, "train") + count_words(folder, "validation")
    except StoreError as error:
        log.warning("outlook: %s", error)
        return None


def _usual_batch(work: Work, annotated: int) -> int:
    """Records annotated from one trained model to the next, as lately as can be told."""
    counts = [annotated]
    for past in islice((x.figures for x in readable_rounds(work.store) if x.figures), 10 * _ROUNDS):
        if past.train.challenger and len(counts) < _ROUNDS:
            counts.append(past.annotations.annotated)
    steps = [new - old for new, old in pairwise(counts) if new > old]
    return round(median(steps)) if steps else _BATCH


def _missing(found: Found, test: Sequence[Example]) -> str:
    """Why no curve can be fitted; empty if one can."""
    sizes, spans = len({model.records for model, _ in found}), sum(len(example.spans) for example in test)
    if sizes < LEAST:
        return f"a forecast needs {LEAST} models, each with more labels than the last, and there {_are(sizes)}"
    if spans < _LEAST_SPANS:
        return f"a forecast needs {_LEAST_SPANS} spans in the test split, and there {_are(spans)}"
    if len({example.group or example.id for example in test}) < 2:
        return "a forecast needs a test split of more than one document"
    return ""


def _are(count: int) -> str:
    return "is 1" if count == 1 else f"are {count}" if count else "is none"


def _forecast(curve: Curve, found: Found, snapshot: SnapshotFigures, batch: int) -> _Forecast:
    """The curve and what it promises, in annotated records; a share of them are for the test, not to learn from."""
    share = 1 - snapshot.counts.get("test", 0) / sum(snapshot.counts.values())
    first, now = min(model.records for model, _ in found), found[-1][0].records
    bands = [(round(n / share), *curve.band(n)) for n in np.geomspace(first, 2 * now, _POINTS).tolist()]
    return _Forecast(
        tuple(CurvePoint(annotated=n, low=low, f1=f1, high=high) for n, low, f1, high in bands),
        Prospect(records=batch, gain=curve.gain(now, now + batch * share)),
        Prospect(records=round(now / share), gain=curve.gain(now, 2 * now)),
    )


def _fitted(work: Work, found: Found, test: Sequence[Example]) -> Curve:
    gate, columns = work.config.gate, [record_counts(test, spans) for _, spans in found]
    counts = group_counts(test, np.concatenate(columns, axis=1)).reshape(-1, len(found), 3)
    noise = shared_noise(counts, samples=gate.samples, seed=gate.seed)
    records = np.array([model.records for model, _ in found], dtype=np.float64)
    return fit(records, f1_of(counts.sum(axis=0)), noise, seed=gate.seed)
