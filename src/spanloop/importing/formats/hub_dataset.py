"""Datasets of the Hugging Face Hub, or of a folder."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from spanloop.errors import DataError
from spanloop.importing.class_labels import with_names
from spanloop.importing.readers import Reader, Row, Source, Table

_ID = re.compile(r"[\w-][\w.-]*(/[\w.-]+)?")
_OF_FILES = {".txt", ".json", ".xml", ".xlsx", ".xls", ".zip", ".gz"}


def open_dataset(source: Source) -> Table:
    """A dataset id of the Hub, e.g. `tner/bc5cdr`, or a folder that `datasets` saved or can load.

    Class labels, alone or in lists, are read by their names.

    Raises:
        DataError: There is no such dataset or split, or the Hub cannot be reached.
    """
    dataset = _load(source.name, source.split, source.subset)
    features = dataset.features.to_dict()
    shown = f"{source.name} [{source.split}]"

    def rows() -> Iterator[Row]:
        for number, values in enumerate(dataset, start=1):
            named = {name: with_names(value, features.get(name)) for name, value in values.items()}
            yield Row(f"{shown}, record {number}", named)

    return Table(shown, rows, tuple(dataset.column_names))


def _is_dataset(source: Source) -> bool:
    """A folder, or what is like `owner/name` or `name` and not like the name of a file."""
    is_id = bool(_ID.fullmatch(source.name)) and source.path.suffix.lower() not in _OF_FILES
    return source.path.is_dir() or (is_id and not source.path.exists())


def _load(source: str, split: str, subset: str) -> Any:
    import datasets
    from huggingface_hub.utils import logging

    logging.set_verbosity_error()  # each of its retries would be a line of its own
    try:
        if (Path(source) / "dataset_dict.json").is_file() or (Path(source) / "state.json").is_file():
            loaded = datasets.load_from_disk(source)
            return loaded[split] if isinstance(loaded, datasets.DatasetDict) else loaded
        return datasets.load_dataset(source, subset or None, split=split)
    except Exception as error:  # a world of libraries and servers lies behind these two calls
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise DataError(
            f"{source!r} is no file here, and datasets cannot load its split {split!r} ({reason}); "
            "check the spelling, --split, --subset and the network"
        ) from None


READERS = (Reader("hub", open_dataset, recognises=_is_dataset, only_paths=False),)
