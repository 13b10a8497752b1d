"""Put records of a file into Argilla: the whole file is checked first, then each record is created once by its id.

Running the same import again, after a kill in the middle or on a longer file, adds what is missing and nothing else.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from spanloop.argilla import schema
from spanloop.argilla.batches import batches
from spanloop.argilla.client import ArgillaClient
from spanloop.argilla.convert import span_values, to_record
from spanloop.argilla.dataset import DatasetRef
from spanloop.argilla.offsets import to_field
from spanloop.argilla.pull import MOST_IDS, look_up
from spanloop.config import LoopConfig
from spanloop.errors import DataError
from spanloop.importing import AnnotationsAs, Imported, Table, parse_records
from spanloop.records import SPLITS, Record, Split
from spanloop.splits import split_of

IMPORT_AGENT = "import"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Check:
    """What a file holds, every record of it checked.

    Attributes:
        records: Number of records.
        annotated: How many of them are annotated, the ones without any span included.
        splits: Number of records by split.
    """

    records: int
    annotated: int
    splits: dict[Split, int]


@dataclass(slots=True)
class ImportReport:
    """What became of the records.

    Attributes:
        created: New records.
        present: Records that were there.
        annotated: Annotations of the file that went in: those of new records, and of records that nobody had answered.
        differing: Ids of those among `present` whose text in Argilla is another one; they stay as they are.
    """

    created: int = 0
    present: int = 0
    annotated: int = 0
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
    annotated = 0
    for record in parse_records(table, config, annotated=annotations != "nothing"):
        counts[split_of(record.group, config.splits)] += 1
        annotated += record.spans is not None
    if not counts:
        raise DataError(f"{table.name} holds no record; is it the right file?")
    return Check(counts.total(), annotated, {split: counts[split] for split in SPLITS})


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
        config: How the splits are dealt.
        annotations: `responses` submits the annotations, `suggestions` shows them to the annotators.
        progress: Told the number of records dealt with, after each bulk.

    Raises:
        ArgillaError: Argilla refused a bulk; those before it are in, and running again goes on from there.
    """
    user = client.get("me")["id"] if annotations == "responses" else ""
    report = ImportReport()
    for batch in batches(records, MOST_IDS):
        there = look_up(client, dataset, [record.id for record in batch])
        bulk: list[Json] = []
        for record in batch:
            answer = _annotation(record, dataset, annotations, user)
            if item := there.get(record.id):
                report.present += 1
                change = answer = _still_wanted(answer, record, to_record(item, dataset), report)
            else:
                report.created += 1
                change = {**_new(record, dataset, config), **answer}
            report.annotated += bool(answer)
            bulk += [{"external_id": record.id, **change}] * bool(change)
        if bulk:
            client.put(f"datasets/{dataset.id}/records/bulk", {"items": bulk})
        if progress:
            progress(len(batch))
    return report


def _new(record: Imported, dataset: DatasetRef, config: LoopConfig) -> Json:
    metadata = {schema.GROUP: record.group, schema.SPLIT: split_of(record.group, config.splits)}
    return {"fields": {dataset.text_field: to_field(record.text)}, "metadata": metadata}


def _still_wanted(answer: Json, record: Imported, known: Record, report: ImportReport) -> Json:
    """The annotation of a record that is there, where it takes nothing from anybody."""
    if known.text != record.text:
        report.differing.append(record.id)
        return {}
    return answer if not known.responses and ("responses" in answer or known.suggestion is None) else {}


def _annotation(record: Imported, dataset: DatasetRef, annotations: AnnotationsAs, user: str) -> Json:
    """The spans of the file as a response or a suggestion; empty where they are not wanted or there are none."""
    if record.spans is None or annotations == "nothing":
        return {}
    value = span_values(record.text, record.spans)
    if annotations == "responses":
        values = {dataset.question: {"value": value}}
        return {"responses": [{"user_id": user, "status": "submitted", "values": values}]}
    suggestion = {"question_id": dataset.question_id, "type": "human", "agent": IMPORT_AGENT, "value": value}
    return {"suggestions": [suggestion]}
