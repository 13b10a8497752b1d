"""Put records of a file into Argilla: the whole file is checked first, then each record is created once by its id.

Running the same import again, after a kill in the middle or on a longer file, adds what is missing and nothing else.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from spanloop.argilla.client import ArgillaClient
from spanloop.argilla.convert import to_record
from spanloop.argilla.dataset import DatasetRef, refuse_unfillable
from spanloop.argilla.pull import in_bulks
from spanloop.argilla.sending import (
    IMPORT_AGENT,
    NewRecord,
    RecordChange,
    create_records,
    put_decided,
    submit_response,
)
from spanloop.argilla.shape import GROUP, SPLIT
from spanloop.config import LoopConfig
from spanloop.errors import DataError
from spanloop.importing import AnnotationsAs, Imported, Table, parse_records
from spanloop.importing.remarks import Remarks
from spanloop.records import SPLITS, Record, ScoredSpan, Split, Suggestion
from spanloop.store import Store
from spanloop.store.groups import Dealing


@dataclass(frozen=True, slots=True)
class Check:
    """What a file holds, every record of it checked.

    Attributes:
        records: Number of records.
        annotated: How many of them are annotated, the ones without any span included.
        splits: Number of records by split.
        remarks: What the file holds and no record does.
    """

    records: int
    annotated: int
    splits: dict[Split, int]
    remarks: Remarks


@dataclass(slots=True)
class ImportReport:
    """What became of the records.

    Attributes:
        created: New records.
        present: Records that were there.
        annotated: Annotations of the file that went in: those of new records, and of records that nobody had answered.
        blind: Annotations that are shown to nobody as suggestions, since people annotate these records blind.
        differing: Ids of those among `present` whose text in Argilla is another one; they stay as they are.
    """

    created: int = 0
    present: int = 0
    annotated: int = 0
    blind: int = 0
    differing: list[str] = field(default_factory=list)


def check(table: Table, config: LoopConfig, annotations: AnnotationsAs) -> Check:
    """Read the whole source and check every record, before anything is written.

    Args:
        table: The source.
        config: Columns, labels, splits.
        annotations: What is to become of its annotations.

    Raises:
        DataError: A record is not what it should be, or there is none.
    """
    counts: Counter[Split] = Counter()
    dealing = Store(config.store).groups.read(config.splits)
    remarks = Remarks()
    annotated = 0
    for record in parse_records(table, config, annotated=annotations != "nothing", remarks=remarks):
        counts[dealing.split_of(dealing.group_of(record.id, record.group))] += 1
        annotated += record.spans is not None
    if not counts:
        raise DataError(f"{table.name} holds no record; is it the right file?")
    return Check(counts.total(), annotated, {split: counts[split] for split in SPLITS}, remarks)


def import_records(
    client: ArgillaClient,
    dataset: DatasetRef,
    records: Iterable[Imported],
    config: LoopConfig,
    *,
    annotations: AnnotationsAs = "nothing",
    progress: Callable[[int], None] | None = None,
) -> ImportReport:
    """Create the records that are not there yet.

    Args:
        client: The connection; imported responses are those of its user.
        dataset: Where they go.
        records: Checked records.
        config: How the splits are dealt, the store that keeps those of records that were here before, and whether
            held-out records are annotated blind.
        annotations: `responses` submits the annotations, `suggestions` shows them to the annotators, save those of
            records that are annotated blind: whatever they came from must not sway what judges models.
        progress: Told the number of records dealt with, after each bulk.

    Raises:
        ArgillaError: The dataset wants more of its records, or Argilla refused a bulk; those before it are in, and
            running again goes on from there.
    """
    refuse_unfillable(client, dataset, responses=annotations == "responses")
    report, dealing = ImportReport(), Store(config.store).groups.read(config.splits)
    for bulk, there in in_bulks(client, dataset, records, lambda record: record.id):
        bulk = [_shown(record, config, dealing, annotations, report) for record in bulk]  # noqa: PLW2901, the same records
        fresh = [record for record in bulk if record.id not in there]
        create_records(client, dataset, [_new(record, dealing, annotations) for record in fresh])
        known = {name: to_record(item, dataset) for name, item in there.items()}
        report.differing += [x.id for x in bulk if x.id in known and known[x.id].text != x.text]
        report.created += len(fresh)
        report.present += len(bulk) - len(fresh)
        report.annotated += sum(_is_wanted(record, annotations) for record in fresh)
        report.annotated += _annotate(client, dataset, bulk, there, annotations)
        if progress:
            progress(len(bulk))
    return report


def _new(record: Imported, dealing: Dealing, annotations: AnnotationsAs) -> NewRecord:
    split = dealing.split_of(dealing.group_of(record.id, record.group))
    metadata: dict[str, object] = {GROUP: record.group, SPLIT: split}
    wanted = _is_wanted(record, annotations)
    return NewRecord(
        record.id,
        record.text,
        metadata,
        response=record.spans if wanted and annotations == "responses" else None,
        suggestion=_suggestion(record) if wanted and annotations == "suggestions" else None,
    )


def _shown(
    record: Imported, config: LoopConfig, dealing: Dealing, annotations: AnnotationsAs, report: ImportReport
) -> Imported:
    """The record without an annotation that nobody is to see."""
    group = dealing.group_of(record.id, record.group)
    if annotations != "suggestions" or record.spans is None or not config.is_blind(group, dealing):
        return record
    report.blind += 1
    return replace(record, spans=None)


def _is_wanted(record: Imported, annotations: AnnotationsAs) -> bool:
    return record.spans is not None and annotations != "nothing"


def _annotate(
    client: ArgillaClient,
    dataset: DatasetRef,
    bulk: Sequence[Imported],
    there: dict[str, dict[str, Any]],
    annotations: AnnotationsAs,
) -> int:
    """Put annotations onto records that are there, and are not gone by then; returns onto how many."""

    def free(there: Mapping[str, dict[str, Any]]) -> list[tuple[Imported, Record]]:
        known = [(x, to_record(there[x.id], dataset)) for x in bulk if x.id in there]
        return [(x, record) for x, record in known if _is_free(x, record, annotations)]

    if annotations == "responses":
        return sum(submit_response(client, dataset, record, x.spans or ()) for x, record in free(there))
    return len(
        put_decided(
            client,
            dataset,
            [x.id for x in bulk],
            there,
            lambda there: [(x.id, RecordChange(there[x.id], _suggestion(x))) for x, _ in free(there)],
        )
    )


def _is_free(record: Imported, known: Record, annotations: AnnotationsAs) -> bool:
    """Whether the annotation goes onto a record that is there: where it takes nothing from anybody."""
    free = not known.responses and (annotations == "responses" or known.suggestion is None)
    return free and known.text == record.text and _is_wanted(record, annotations)


def _suggestion(record: Imported) -> Suggestion:
    return Suggestion(tuple(ScoredSpan(x.start, x.end, x.label, 1.0) for x in record.spans or ()), IMPORT_AGENT)
