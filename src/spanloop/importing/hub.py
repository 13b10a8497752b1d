"""Datasets of the Hugging Face Hub, or of a folder."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from spanloop.errors import DataError
from spanloop.importing.tables import Row, Table


def hub_table(source: str, split: str, subset: str = "") -> Table:
    """A dataset id of the Hub, or a folder that `datasets` saved or can load.

    Class labels, alone or in lists, are read by their names.

    Args:
        source: The id, e.g. `tner/bc5cdr`, or a folder.
        split: The split to read, e.g. `train`.
        subset: The configuration, where the dataset has several.

    Raises:
        DataError: There is no such dataset or split, or the Hub cannot be reached.
    """
    dataset = _load(source, split, subset)
    names = {name: found for name, feature in dataset.features.items() if (found := _class_names(feature))}

    def rows() -> Iterator[Row]:
        for number, values in enumerate(dataset, start=1):
            named = {name: _named(values[name], names[name]) for name in names}
            yield Row(f"{source} [{split}], record {number}", {**values, **named})

    return Table(f"{source} [{split}]", rows, tuple(dataset.column_names))


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


def _class_names(feature: Any) -> list[str]:
    """The names of a class label, or of a list of class labels."""
    return list(getattr(getattr(feature, "feature", feature), "names", None) or ())


def _named(value: Any, names: list[str]) -> Any:
    if isinstance(value, list):
        return [_named(item, names) for item in value]
    return names[value] if isinstance(value, int) and 0 <= value < len(names) else value
