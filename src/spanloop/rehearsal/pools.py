"""What is rehearsed on: the pool, whose annotation stays hidden until it is asked for, and what judges every model."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from spanloop.annotations.resolve import resolve
from spanloop.config import LoopConfig, SplitConfig
from spanloop.errors import DataError
from spanloop.importing import Imported, Table, parse_records
from spanloop.records import Annotation, Example, Record, Response
from spanloop.words import split_words

FEWEST_RECORDS = 100
_FEWEST_JUDGES = 20
_ANOTHER_SEED = 1_000_003  # the held-out records are drawn apart from the splits of the loop, whose seeds count from 0
_ANNOTATOR = "annotator"


@dataclass(frozen=True, slots=True)
class Pools:
    """The two parts of the annotated records.

    Attributes:
        pool: What the loop may ask for, sorted by id.
        judges: What every model is judged on and nobody ever annotates.
        labels: The label scheme.
    """

    pool: list[Annotation]
    judges: list[Annotation]
    labels: list[str]


def annotated_records(table: Table, config: LoopConfig) -> Iterable[Imported]:
    """The records of a file that somebody annotated, those without any span included.

    Raises:
        DataError: A record is not what it should be.
    """
    return (record for record in parse_records(table, config, annotated=True) if record.spans is not None)


def read_pools(source: Table, held_out: Table | None, share: float, config: LoopConfig) -> Pools:
    """Read and divide.

    Args:
        source: The annotated file.
        held_out: A file that judges; None: a share of the groups of `source` does.
        share: That share, dealt by the hash of the group as the splits are.
        config: Columns, labels, how spans are tidied.

    Raises:
        DataError: There is no span, or too few records.
    """
    pool = _read(source, config)
    if held_out is None:
        deal = SplitConfig(seed=config.splits.seed + _ANOTHER_SEED, validation=0.0, test=share).split_of
        judges = [record for record in pool if deal(record.group) == "test"]
        pool = [record for record in pool if deal(record.group) != "test"]
    else:
        judges = [replace(record, record_id=f"held-out/{record.record_id}") for record in _read(held_out, config)]
    if len(pool) < FEWEST_RECORDS or len(judges) < _FEWEST_JUDGES:
        raise DataError(
            f"{source.name}: {len(pool)} annotated records to choose from and {len(judges)} to judge on; a rehearsal "
            f"needs {FEWEST_RECORDS} and {_FEWEST_JUDGES}, so annotate more, or name a second file with --held-out"
        )
    found = {span.label for record in [*pool, *judges] for span in record.spans}
    return Pools(pool, judges, list(config.task.labels) or sorted(found))


def _read(table: Table, config: LoopConfig) -> list[Annotation]:
    records = [
        Record(r.id, r.text, r.group, responses=(Response(_ANNOTATOR, "submitted", r.spans or (), ""),))
        for r in annotated_records(table, config)
    ]
    found = resolve(records, config.annotations).annotations
    if not any(record.spans for record in found):
        raise DataError(
            f"{table.name} has no annotated span; a rehearsal needs text with 'spans' (start, end, label), "
            "name their column with --spans"
        )
    return found


def words_in(text: str) -> int:
    """Words that an annotator reads in a text."""
    return len(split_words(text))


def as_example(record: Annotation) -> Example:
    """An annotation as what a model is judged on."""
    return Example(record.record_id, record.text, record.spans, record.group)
