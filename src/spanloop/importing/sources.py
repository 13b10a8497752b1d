"""From a path or a name to the reader for it."""

from spanloop.errors import DataError
from spanloop.importing.formats import READERS
from spanloop.importing.readers import Reader, Source, Table


def open_source(name: str, kind: str = "", *, split: str = "train", subset: str = "") -> Table:
    """Open a file, a folder of a dataset, or a dataset of the Hub.

    Args:
        name: A path, or the id of a dataset.
        kind: The format; empty: it is recognised, by the ending first.
        split: Which split of a dataset to read.
        subset: Which configuration of a dataset to read.

    Raises:
        DataError: There is no such source, or its format is unknown.
    """
    if kind and kind not in READERS:
        raise DataError(f"there is no format {kind!r}; --format is one of {', '.join(READERS)}")
    source = Source(name, split, subset)
    reader = READERS[kind] if kind else _recognised(source)
    if not source.path.exists() and (reader is None or reader.only_paths):
        raise DataError(f"{source.path} does not exist; give a file, a folder of a dataset, or a dataset id of the Hub")
    if reader is None:
        known = ", ".join(READERS)
        raise DataError(f"{source.path}: the ending does not say what it is; add --format with one of {known}")
    return reader.open(source)


def _recognised(source: Source) -> Reader | None:
    ending = "" if source.path.is_dir() else source.path.suffix.lower()
    by_ending = (reader for reader in READERS.values() if ending in reader.endings)
    return next(by_ending, None) or next((reader for reader in READERS.values() if reader.recognises(source)), None)
