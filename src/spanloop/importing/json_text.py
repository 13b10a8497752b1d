"""JSON as files hold it: one value a line, or one list of them."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from spanloop.errors import DataError
from spanloop.importing.readers import Source
from spanloop.importing.text_files import TextFile, open_text

_BLANK = re.compile(r"[ \t\r\n]*")
_PEEKED = 100  # values that are looked at to recognise a format


def json_values(text: TextFile) -> Iterator[tuple[str, Any]]:
    """The values of a file with their places, e.g. `x.jsonl, line 3` or `x.json, record 3`.

    Raises:
        DataError: A value is no JSON, or nested too deeply.
    """
    first = next((line for _, line in text.lines() if line.strip()), "").lstrip()
    if first.startswith("[") and first[1:].lstrip()[:1] != '"':  # but not a line such as ["text", {...}]
        yield from _elements("".join(line for _, line in text.lines()), text.name)
        return
    for number, line in text.lines():
        if line.strip():
            where = f"{text.name}, line {number}"
            try:
                yield where, json.loads(line, object_pairs_hook=_object)
            except (ValueError, RecursionError) as error:
                raise _no_json(where, error, "every line must be one JSON object") from None


def first_values(source: Source) -> list[Any]:
    """The first values of a file, to recognise its format by; none where it cannot be read."""
    try:
        state = source.path.stat()
    except OSError:
        return []
    return _peeked(source.path, source.encoding, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=1)
def _peeked(path: Path, encoding: str, changed: int, size: int) -> list[Any]:
    """Every reader that may know the file asks for the same values, one after the other."""
    values: list[Any] = []
    with suppress(DataError):  # told when the file is read
        text = open_text(Source(str(path), encoding=encoding))
        values.extend(value for _, value in islice(json_values(text), _PEEKED))
    return values


def _elements(text: str, name: str) -> Iterator[tuple[str, Any]]:
    """The elements of a list, decoded one by one."""
    decoder = json.JSONDecoder(object_pairs_hook=_object)
    place = _after(text, text.index("[") + 1)
    number = 0
    while number or text[place : place + 1] != "]":
        number += 1
        where = f"{name}, record {number}"
        try:
            value, place = decoder.raw_decode(text, place)
        except (ValueError, RecursionError) as error:
            raise _no_json(where, error, "write one list of JSON objects") from None
        yield where, value
        place = _after(text, place)
        if text[place : place + 1] == "]":
            break
        if text[place : place + 1] != ",":
            raise DataError(f"{where}: not JSON, for the list does not go on after it; write one list of JSON objects")
        place = _after(text, place + 1)
    if text[place + 1 :].strip():
        raise DataError(f"{name}: not JSON, for something follows its list; write one list of JSON objects")


def _after(text: str, place: int) -> int:
    found = _BLANK.match(text, place)
    return found.end() if found else place


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(key for number, (key, _) in enumerate(pairs) if key in dict(pairs[:number]))
        raise ValueError(f"key {twice[:50]!r} stands twice in one object")
    return found


def _no_json(where: str, error: Exception, demand: str) -> DataError:
    if isinstance(error, RecursionError):
        return DataError(f"{where}: JSON that is nested too deeply to be read; {demand}")
    return DataError(f"{where}: not JSON ({error}); {demand}")
