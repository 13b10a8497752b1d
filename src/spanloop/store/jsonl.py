"""Records and annotations as JSON lines, the form in which the steps of a round hand them on."""

import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from spanloop.durable import replace_file, told_as_store_errors
from spanloop.errors import StoreError
from spanloop.records import Annotation, Record

T = TypeVar("T")

log = logging.getLogger(__name__)

_RECORD, _ANNOTATION = TypeAdapter(Record), TypeAdapter(Annotation)


def write_json(path: Path, tree: object) -> Path:
    """Write one JSON document; a reader never sees half of it.

    Args:
        path: The file; its folder exists.
        tree: Anything that `json` can write.

    Returns:
        The path.

    Raises:
        StoreError: The disk is full or the folder cannot be written.
    """
    return _replace(path, [json.dumps(tree, indent=1)])


def read_json(path: Path) -> Any:
    """Read one JSON document; None if the file is missing.

    Raises:
        StoreError: The file holds no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:
        raise StoreError(f"{path} is damaged; remove it and run again: it is made anew") from None


def read_cache(path: Path, kind: TypeAdapter[T]) -> T | None:
    """Read what can be made again: None where the file is missing, or damaged, which the log tells."""
    try:
        tree = read_json(path)
        return None if tree is None else kind.validate_python(tree)
    except (StoreError, ValidationError):
        log.warning("%s is damaged; it is made again", path)
        return None


def write_records(path: Path, records: Iterable[Record]) -> Path:
    """Write records as JSON lines, one at a time; the file appears when it is whole."""
    return _replace(path, (json.dumps(asdict(record)) for record in records))


def read_records(path: Path) -> Iterator[Record]:
    """Read what `write_records` wrote, one record at a time."""
    return (_RECORD.validate_python(tree) for tree in _lines(path))


def write_annotations(path: Path, annotations: Iterable[Annotation]) -> Path:
    """Write annotations as JSON lines; the file appears when it is whole."""
    return _replace(path, (json.dumps(asdict(annotation)) for annotation in annotations))


def read_annotations(path: Path) -> list[Annotation]:
    """Read what `write_annotations` wrote."""
    return [_ANNOTATION.validate_python(tree) for tree in _lines(path)]


def _replace(path: Path, lines: Iterable[str]) -> Path:
    with told_as_store_errors(f"write {path.name}", path):
        replace_file(path, (line + "\n" for line in lines))
    return path


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with told_as_store_errors(f"read {path.name}", path), path.open(encoding="utf-8") as file:
        try:
            for line in file:
                yield json.loads(line)
        except ValueError:
            raise StoreError(f"{path} is damaged; remove it and run again: it is made anew") from None
