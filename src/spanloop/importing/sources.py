"""From a path or a name to the reader for it."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal, get_args

from spanloop.errors import DataError
from spanloop.importing.conll import conll_table
from spanloop.importing.hub import hub_table
from spanloop.importing.tables import Table, csv_table, jsonl_table, parquet_table

Format = Literal["csv", "tsv", "jsonl", "parquet", "conll", "hub"]
FORMATS: tuple[Format, ...] = get_args(Format)

_ENDINGS: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".conll": "conll",
    ".conll03": "conll",
    ".bio": "conll",
    ".iob": "conll",
    ".iob2": "conll",
}
_NOT_OURS = {".txt", ".json", ".xml", ".xlsx", ".xls", ".zip", ".gz"}
_HUB_ID = re.compile(r"[\w-][\w.-]*(/[\w.-]+)?")
_READERS: dict[Format, Callable[[Path], Table]] = {
    "csv": lambda path: csv_table(path, ","),
    "tsv": lambda path: csv_table(path, "\t"),
    "jsonl": jsonl_table,
    "parquet": parquet_table,
    "conll": conll_table,
}


def open_source(source: str, kind: Format | None = None, *, split: str = "train", subset: str = "") -> Table:
    """Open a file, a folder of a dataset, or a dataset of the Hub.

    Args:
        source: A path, or the id of a dataset.
        kind: The format; None goes by the file's ending.
        split: Which split of a dataset to read.
        subset: Which configuration of a dataset to read.

    Raises:
        DataError: There is no such source, or its format is unknown.
    """
    path = Path(source)
    if kind == "hub" or path.is_dir() or (kind is None and not path.exists() and _is_hub_id(source)):
        return hub_table(source, split, subset)
    if not path.exists():
        raise DataError(f"{path} does not exist; give a file, a folder of a dataset, or a dataset id of the Hub")
    kind = kind or _ENDINGS.get(path.suffix.lower())
    if kind is None:
        raise DataError(f"{path}: the ending does not say what it is; add --format with one of {', '.join(FORMATS)}")
    return _READERS[kind](path)


def _is_hub_id(source: str) -> bool:
    """Like `owner/name` or `name`, and not like the name of a file."""
    path = Path(source)
    return bool(_HUB_ID.fullmatch(source)) and path.suffix.lower() not in {*_ENDINGS, *_NOT_OURS}
