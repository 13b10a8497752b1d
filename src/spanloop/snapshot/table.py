"""The columns of a snapshot: annotations to the Arrow files of a DatasetDict, and back.

Reading needs pyarrow alone; `datasets`, which takes a second to import, is loaded only where a snapshot is written.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spanloop.errors import StoreError, first_line
from spanloop.records import Annotation, Span, Split
from spanloop.spans import refine_words, resolve_overlaps, spans_to_iob2, tag_names
from spanloop.store.artifacts import read_manifest, verify_file
from spanloop.words import split_words, words_to_tokens

if TYPE_CHECKING:
    import pyarrow
    from datasets import DatasetDict, Features

_ROWS_A_CHUNK = 5000


@dataclass(slots=True)
class Tagging:
    """What happened while records were tagged.

    Attributes:
        refined: Ids of records in which words were cut, or white space was made one, at the boundary of a span.
        overlapping: Ids of records in which spans overlap; the tags hold the longest of them.
    """

    refined: list[str] = field(default_factory=list)
    overlapping: list[str] = field(default_factory=list)


def features(labels: Sequence[str]) -> "Features":
    """The columns of a snapshot as `datasets` features; `ner_tags` are class labels named by `tag_names`."""
    from datasets import ClassLabel, Features, List, Value

    return Features(
        {
            "id": Value("string"),
            "text": Value("string"),
            "tokens": List(Value("string")),
            "ner_tags": List(ClassLabel(names=tag_names(labels))),
            "spans": List({"start": Value("int32"), "end": Value("int32"), "label": Value("string")}),
            "group": Value("string"),
            "annotators": List(Value("string")),
            "agreement": Value("float64"),
        }
    )


def write_splits(
    folder: Path, splits: Mapping[Split, Sequence[Annotation]], labels: Sequence[str], version: str
) -> Tagging:
    """Write annotations as a DatasetDict that `datasets.load_from_disk` reads.

    Args:
        folder: Where to; exists.
        splits: Annotations of each split, which may be empty.
        labels: The label scheme.
        version: Becomes the fingerprint, so that the same snapshot is the same files.

    Returns:
        What happened on the way.
    """
    import pyarrow as pa
    from datasets import Dataset, DatasetDict, DatasetInfo

    columns, tagging = features(labels), Tagging()
    schema, index = columns.arrow_schema, {name: i for i, name in enumerate(tag_names(labels))}
    datasets = {}
    for split, annotations in splits.items():
        batches = [
            pa.RecordBatch.from_pydict(_columns(chunk, index, tagging), schema=schema) for chunk in _chunks(annotations)
        ]
        table = pa.Table.from_batches(batches, schema=schema)
        datasets[split] = Dataset(table, info=DatasetInfo(features=columns), fingerprint=f"{version}-{split}")
    with quiet_progress_bars():
        # Without a number of shards an empty split is written as no file at all, which cannot be loaded again.
        shards = {split: max(1, -(-len(annotations) // 200_000)) for split, annotations in splits.items()}
        DatasetDict(datasets).save_to_disk(folder, num_shards=shards)
    return tagging


def load_splits(folder: Path) -> "DatasetDict":
    """Load a published snapshot, memory-mapped; any of `train`, `validation` and `test` may be empty."""
    from datasets import DatasetDict

    return DatasetDict.load_from_disk(folder)


def read_columns(folder: Path, split: Split, names: Sequence[str]) -> dict[str, list[Any]]:
    """Columns of a split, one list of values each, after a look at the files' hashes; `spans` are tuples of `Span`.

    Raises:
        StoreError: A file is missing or corrupt; names it.
    """
    columns: dict[str, list[Any]] = {name: [] for name in names}
    for table in _tables(folder, split, names):
        for name in names:
            column = table[name]
            columns[name] += _read_spans(column) if name == "spans" else column.to_pylist()
    return columns


def count_words(folder: Path, split: Split) -> int:
    """The words in a split's texts.

    Raises:
        StoreError: A file is missing or corrupt; names it.
    """
    from pyarrow import compute

    lengths = (compute.sum(compute.list_value_length(x["tokens"])).as_py() for x in _tables(folder, split, ["tokens"]))
    return sum(length or 0 for length in lengths)


def _tables(folder: Path, split: Split, names: Sequence[str]) -> "Iterator[pyarrow.Table]":
    """The files of a split, one after the other, after a look at their hashes."""
    import pyarrow as pa

    files = [x for x in sorted(read_manifest(folder)["files"]) if x.startswith(f"{split}/") and x.endswith(".arrow")]
    if not files:
        raise StoreError(f"{folder} holds no split {split!r}; is it a snapshot?")
    for file in files:
        verify_file(folder, file)
        try:
            with pa.memory_map(str(folder / file)) as source:
                yield pa.ipc.open_stream(source).read_all().select(list(names))
        except (pa.ArrowInvalid, KeyError) as error:
            raise StoreError(f"{folder / file} cannot be read as a snapshot: {first_line(error)}") from None


def _columns(annotations: Sequence[Annotation], index: Mapping[str, int], tagging: Tagging) -> dict[str, list[Any]]:
    tokens, tags = [], []
    for annotation in annotations:
        words = split_words(annotation.text)
        disjoint, lost = resolve_overlaps(annotation.spans, "longest")
        if lost:
            tagging.overlapping.append(annotation.record_id)
        refined = refine_words(words, disjoint)
        if refined != words:
            tagging.refined.append(annotation.record_id)
        named, _ = spans_to_iob2(refined, disjoint)
        tokens.append(words_to_tokens(annotation.text, refined))
        tags.append([index[name] for name in named])
    return {
        "id": [a.record_id for a in annotations],
        "text": [a.text for a in annotations],
        "tokens": tokens,
        "ner_tags": tags,
        "spans": [[{"start": s.start, "end": s.end, "label": s.label} for s in a.spans] for a in annotations],
        "group": [a.group for a in annotations],
        "annotators": [list(a.annotators) for a in annotations],
        "agreement": [a.agreement for a in annotations],
    }


def _read_spans(column: "pyarrow.ChunkedArray") -> list[tuple[Span, ...]]:
    rows: list[tuple[Span, ...]] = []
    for chunk in column.chunks:
        offsets, values = chunk.offsets.to_pylist(), chunk.values
        parts = (values.field(name).to_pylist() for name in ("start", "end", "label"))
        spans = [Span(*part) for part in zip(*parts, strict=True)]
        rows += [tuple(spans[offsets[i] : offsets[i + 1]]) for i in range(len(chunk))]
    return rows


def _chunks(annotations: Sequence[Annotation]) -> Iterator[Sequence[Annotation]]:
    for start in range(0, len(annotations), _ROWS_A_CHUNK):
        yield annotations[start : start + _ROWS_A_CHUNK]


@contextmanager
def quiet_progress_bars() -> Iterator[None]:
    """Keep the progress bars of `datasets` off the terminal, and leave the setting as it was."""
    import datasets

    if datasets.are_progress_bars_disabled():
        yield
        return
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        datasets.enable_progress_bars()
