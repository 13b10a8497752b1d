"""Write suggestions and priorities back, effectively once: what is in place is not written again.

The key is (record, question, model version). Before each bulk its records are read anew, so that running again after a
kill, a time-out or an annotator's submission ends in the same state, and whatever people answered stays untouched.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from spanloop.argilla.client import ArgillaClient
from spanloop.argilla.convert import to_record
from spanloop.argilla.dataset import DatasetRef
from spanloop.argilla.pull import in_bulks
from spanloop.argilla.sending import RecordChange, put_decided
from spanloop.argilla.shape import MODEL_VERSION, PRIORITY, UNCERTAINTY, WRITTEN
from spanloop.records import Record, ScoredSpan, Suggestion

_DIGITS = 6  # of priorities and uncertainties
_SCORE_DIGITS = 4  # coarser than the noise of another batch size, so that the same model writes the same scores

Json = dict[str, Any]
Outcome = Literal[
    "suggested", "reordered", "unchanged", "withdrawn", "answered", "newer", "foreign", "edited", "missing"
]
Origin = Literal["ours", "newer", "foreign"]
"""Whose a suggestion in place is: this loop's, so that it gives way; a later round's; or somebody else's."""
Decide = Callable[["Scored", Json | None], tuple[Outcome, RecordChange | None]]


@dataclass(frozen=True, slots=True)
class Scored:
    """What a round has to say about one pending record.

    Attributes:
        record_id: The record.
        suggestion: The spans to suggest; None leaves the suggestion in place as it is.
        priority: Orders the annotators' queue, highest first.
        uncertainty: How unsure the model is; None leaves the value in place.
        text: The text that was read: a record that has another one by now is left alone. None: any.
        stale: A suggestion in place was made for another text: without a new one it is withdrawn.
        blind: People are to see no guess of a model: no suggestion may stay, and no metadata that tells of one.
    """

    record_id: str
    suggestion: Suggestion | None
    priority: float
    uncertainty: float | None = None
    text: str | None = None
    stale: bool = False
    blind: bool = False


@dataclass(frozen=True, slots=True)
class WriteReport:
    """What became of the records, in counts that add up to the number of records given.

    Attributes:
        suggested: A suggestion was written, with priority and uncertainty.
        withdrawn: A suggestion was taken away: the record is annotated blind, or has another text by now.
        reordered: The suggestion was in place, or none is to be; priority or uncertainty changed.
        unchanged: All was in place; nothing was written.
        answered: Somebody has answered (submitted, draft or discarded); left alone.
        newer: A later round's suggestion is in place; left alone.
        foreign: Somebody else's suggestion is in place and stays; the record has its priority.
        edited: The text was changed after it was read; left to the next round.
        missing: Argilla no longer has the record.
    """

    suggested: int = 0
    withdrawn: int = 0
    reordered: int = 0
    unchanged: int = 0
    answered: int = 0
    newer: int = 0
    foreign: int = 0
    edited: int = 0
    missing: int = 0


def write_suggestions(
    client: ArgillaClient,
    dataset: DatasetRef,
    scored: Iterable[Scored],
    *,
    origin: Callable[[str], Origin] = lambda agent: "ours",
    keep_foreign: bool = False,
    progress: Callable[[int], None] | None = None,
) -> WriteReport:
    """Write suggestions, priorities and uncertainties to records that nobody has answered.

    Args:
        client: The connection.
        dataset: Where to write.
        scored: One item a record; a generator is read as it is written.
        origin: Whose the suggestions of an agent are.
        keep_foreign: Leave somebody else's suggestions in place, on blind records too, and only order the records.
        progress: Told the number of records dealt with, after each bulk.

    Returns:
        What became of the records.

    Raises:
        ArgillaError: Argilla refused a bulk; those before it are written, and running again goes on from there.
    """
    counts: Counter[Outcome] = Counter()
    decide = partial(_decide, dataset=dataset, origin=origin, keep_foreign=keep_foreign)
    for bulk, there in in_bulks(client, dataset, scored, lambda item: item.record_id):
        ids = [item.record_id for item in bulk]
        counts.update(put_decided(client, dataset, ids, there, partial(_decided, bulk, decide)))
        if progress:
            progress(len(bulk))
    return WriteReport(**{str(outcome): n for outcome, n in counts.items()})


def _decided(
    bulk: Sequence[Scored], decide: Decide, there: Mapping[str, Json]
) -> list[tuple[Outcome, RecordChange | None]]:
    return [decide(scored, there.get(scored.record_id)) for scored in bulk]


def _decide(
    scored: Scored, item: Json | None, *, dataset: DatasetRef, origin: Callable[[str], Origin], keep_foreign: bool
) -> tuple[Outcome, RecordChange | None]:
    """What to do about one record, and what to change on it; None leaves all of it alone."""
    if item is None:
        return "missing", None
    record = to_record(item, dataset)
    if record.responses:
        return "answered", None
    if scored.text not in (None, record.text):
        return "edited", None
    whose = origin(record.suggestion.agent) if record.suggestion else "ours"
    if whose == "newer" and (scored.suggestion or scored.blind):
        return "newer", None
    return _change(scored, record, item, whose, stays=whose == "foreign" and keep_foreign)


def _change(scored: Scored, record: Record, item: Json, whose: Origin, *, stays: bool) -> tuple[Outcome, RecordChange]:
    """What is to change on a record that waits, whose suggestion in place may have to stay."""
    there = record.suggestion and replace(record.suggestion, updated_at="")
    misfit = scored.stale or (there and any(span.start >= span.end for span in there.spans))
    left_over = misfit and scored.suggestion is None and whose == "ours"
    withdraws = there is not None and not stays and (scored.blind or bool(left_over))
    scored = replace(scored, suggestion=None if stays or scored.blind else _rounded(scored.suggestion))
    metadata = _metadata(scored, record)
    if withdraws:
        metadata.pop(MODEL_VERSION, None)
    wanted = scored.suggestion if scored.suggestion != there else None
    change = RecordChange(item, wanted, metadata if metadata != record.metadata else None, withdraws)
    return "foreign" if stays else _outcome(change), change


def _outcome(change: RecordChange) -> Outcome:
    if change.withdraws:
        return "withdrawn"
    return "suggested" if change.suggestion else "reordered" if change.metadata else "unchanged"


def _metadata(scored: Scored, record: Record) -> dict[str, object]:
    """The record's metadata with ours in it; a bulk replaces all of it."""
    ours: dict[str, object] = {PRIORITY: round(float(scored.priority), _DIGITS)}
    if scored.blind:
        return {name: value for name, value in record.metadata.items() if name not in WRITTEN} | ours
    if scored.uncertainty is not None:
        ours[UNCERTAINTY] = round(float(scored.uncertainty), _DIGITS)
    if scored.suggestion is not None:
        ours[MODEL_VERSION] = scored.suggestion.agent
    return {**record.metadata, **ours}


def _rounded(suggestion: Suggestion | None) -> Suggestion | None:
    """Scores as they are compared and written, in the order of the text."""
    if suggestion is None:
        return None
    spans = (ScoredSpan(s.start, s.end, s.label, round(float(s.score), _SCORE_DIGITS)) for s in suggestion.spans)
    return Suggestion(tuple(sorted(spans)), suggestion.agent)
