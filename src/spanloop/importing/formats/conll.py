"""CoNLL files: one token a line, its tag in the last column, an empty line between sentences."""

import re
from collections.abc import Iterator
from pathlib import Path

from spanloop.errors import DataError
from spanloop.importing.readers import Reader, Row, Source, Table, text_lines

_DOCUMENT = "-DOCSTART-"
_COMMENT = re.compile(r"#\s*(id|sent_id|newdoc|newpar|doc_id|text)\b")


def open_conll(source: Source) -> Table:
    """A CoNLL file; a sentence becomes a record named after the file and its number, e.g. `train-17`.

    Tokens are joined by single spaces. IOB1, IOB2 and IOBES tags are read. Sentences between two `-DOCSTART-` lines
    are of one group; without such lines every sentence is its own.
    """
    path = source.path

    def rows() -> Iterator[Row]:
        document = 0
        for number, (line, is_document_start, pairs) in enumerate(_sentences(path), start=1):
            document += is_document_start
            tokens, tags = [token for token, _ in pairs], [tag for _, tag in pairs]
            values: dict[str, object] = {"id": f"{path.stem}-{number}", "text": tokens, "spans": tags}
            if document:
                values["group"] = f"{path.stem}-doc{document}"
            yield Row(f"{path}, line {line}", values)

    return Table(str(path), rows, own_columns=True)


def _sentences(path: Path) -> Iterator[tuple[int, bool, list[tuple[str, str]]]]:
    """First line, whether a document starts with it, and (token, tag) pairs of every sentence."""
    first, is_document_start = 0, False
    pairs: list[tuple[str, str]] = []
    for number, line in text_lines(path):
        if line.startswith(_DOCUMENT) or not line.strip():
            if pairs:
                yield first, is_document_start, pairs
                pairs, is_document_start = [], False
            is_document_start |= line.startswith(_DOCUMENT)
        elif pairs or not _COMMENT.match(line):
            first = first if pairs else number
            pairs.append(_columns(line, f"{path}, line {number}"))
    if pairs:
        yield first, is_document_start, pairs


def _columns(line: str, where: str) -> tuple[str, str]:
    columns = line.rstrip("\r\n").split("\t") if "\t" in line else line.split()
    if len(columns) < 2:
        raise DataError(f"{where}: {line.strip()[:50]!r} is a token without a tag; put the tag into the last column")
    return columns[0], columns[-1].strip()


READERS = (Reader("conll", open_conll, (".conll", ".conll03", ".bio", ".iob", ".iob2")),)
