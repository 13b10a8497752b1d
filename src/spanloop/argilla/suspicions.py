"""How suspicious the annotation of submitted records is, as metadata that Argilla's page sorts by."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from spanloop.argilla.client import ArgillaClient
from spanloop.argilla.convert import to_record
from spanloop.argilla.dataset import DatasetRef
from spanloop.argilla.pull import in_bulks, pull_with
from spanloop.argilla.sending import RecordChange, put_decided
from spanloop.argilla.shape import SUSPICION

_DIGITS = 4

Json = dict[str, Any]
Decision = tuple[Literal["written", "unchanged", "cleared"] | None, RecordChange | None]


@dataclass(frozen=True, slots=True)
class SuspicionReport:
    """What became of the records, in counts.

    Attributes:
        written: The value was written.
        unchanged: It was in place.
        cleared: The value of an earlier review was taken off a record.
    """

    written: int = 0
    unchanged: int = 0
    cleared: int = 0


def write_suspicions(client: ArgillaClient, dataset: DatasetRef, suspicions: Mapping[str, float]) -> SuspicionReport:
    """Leave these suspicions, and no others, in the metadata of the dataset's records.

    Responses, suggestions and all other metadata stay as they are. A record that has no submitted response by now has
    no suspicion.

    Args:
        client: The connection.
        dataset: From `prepare_dataset`, with the property made.
        suspicions: Probability that the annotation is wrong, by record id.

    Raises:
        ArgillaError: Argilla refused a bulk; running again goes on from there.
    """
    stale = [record.id for record in pull_with(client, dataset, SUSPICION) if record.id not in suspicions]
    counts: Counter[str] = Counter()
    for bulk, there in in_bulks(client, dataset, [*suspicions, *stale], str):
        wanted = {name: suspicions.get(name) for name in bulk}
        outcomes = put_decided(client, dataset, bulk, there, partial(_decided, dataset, wanted))
        counts.update(outcome for outcome in outcomes if outcome)
    return SuspicionReport(**counts)


def _decided(dataset: DatasetRef, bulk: Mapping[str, float | None], there: Mapping[str, Json]) -> list[Decision]:
    return [_decide(there[name], dataset, suspicion) for name, suspicion in bulk.items() if name in there]


def _decide(item: Json, dataset: DatasetRef, suspicion: float | None) -> Decision:
    record = to_record(item, dataset)
    others = {name: value for name, value in record.metadata.items() if name != SUSPICION}
    if suspicion is None or not record.submitted:
        return ("cleared", RecordChange(item, metadata=others)) if others != record.metadata else (None, None)
    wanted = {**others, SUSPICION: round(float(suspicion), _DIGITS)}
    return ("written", RecordChange(item, metadata=wanted)) if wanted != record.metadata else ("unchanged", None)
