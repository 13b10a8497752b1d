"""Folders of brat (https://brat.nlplab.org/standoff.html): a text in `x.txt`, its annotation in `x.ann`."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from spanloop.errors import DataError
from spanloop.importing.readers import Reader, Row, Source, Table
from spanloop.importing.text_files import open_text

_SPAN = re.compile(r"T\S+\t(\S+) (\d+ \d+(?:;\d+ \d+)*)(?:\t(.*))?")
_OTHERS = re.compile(r"[REAMN#*]")
_IN_PARTS = "annotations left out, one of their spans lies in several parts"


def open_brat(source: Source) -> Table:
    """A folder of brat; each text is a record named after its file, and a group of its own.

    Raises:
        DataError: It is no such folder, or an annotation has no text.
    """
    if not source.path.is_dir():
        raise DataError(f"{source.name} is no folder; brat's texts and annotations lie in one as x.txt and x.ann")
    texts = {path.with_suffix(""): path for path in sorted(source.path.rglob("*.txt"))}
    lonely = [path for path in sorted(source.path.rglob("*.ann")) if path.with_suffix("") not in texts]
    if lonely:
        raise DataError(f"{lonely[0]} has no text beside it; put {lonely[0].stem}.txt there, or remove it")
    if not texts:
        raise DataError(f"{source.name} is empty of texts; brat's are named x.txt")

    def rows() -> Iterator[Row]:
        for path in texts.values():
            yield _row(path, source)

    notes = tuple(note for path in texts.values() for note in open_text(_part(source, path)).notes)
    return Table(source.name, rows, own_columns=True, notes=notes)


def _part(source: Source, path: Path) -> Source:
    return replace(source, name=str(path))


def _row(path: Path, source: Source) -> Row:
    text = "".join(line for _, line in open_text(_part(source, path)).lines())
    values: dict[str, object] = {"id": path.relative_to(source.path).with_suffix("").as_posix(), "text": text}
    row = Row(f"{path}, line 1", values)
    marks = path.with_suffix(".ann")
    if not marks.exists():
        return row
    spans: list[dict[str, object]] = []
    remarks: list[str] = []
    for number, line in open_text(_part(source, marks)).lines():
        where = f"{marks}, line {number}"
        found = _SPAN.fullmatch(line.rstrip("\r\n"))
        if found:
            places = [(int(start), int(end)) for start, end in (part.split() for part in found[2].split(";"))]
            if any(text[one[1] : two[0]].strip() or two[0] < one[1] for one, two in pairwise(places)):
                remarks.append(_IN_PARTS)
            spans.append({"start": places[0][0], "end": places[-1][1], "label": found[1], "text": found[3]})
        elif _OTHERS.match(line):
            remarks.append("relations, events, attributes and notes left out")
        elif line.strip():
            raise DataError(
                f"{where}: {line.strip()[:50]!r} is no line of brat's; a span is e.g. T1<tab>PER 0 4<tab>Anna"
            )
    return replace(row, values={**values, "spans": None if _IN_PARTS in remarks else spans}, remarks=tuple(remarks))


def _is_brat(source: Source) -> bool:
    return source.path.is_dir() and next(source.path.rglob("*.ann"), None) is not None


READERS = (Reader("brat", open_brat, recognises=_is_brat, within="hub"),)
