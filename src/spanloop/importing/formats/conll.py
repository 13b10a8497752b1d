"""CoNLL files: a token and its tag in a line, an empty line between sentences."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from spanloop.errors import DataError
from spanloop.importing.conll_layout import DOCUMENT, ConllLayout, find_layout, is_break
from spanloop.importing.readers import Reader, Row, Source, Table
from spanloop.importing.tags import label_of, no_tag, scheme_of
from spanloop.importing.text_files import TextFile, open_text

_RANGE = re.compile(r"\d+-\d+")


def open_conll(source: Source) -> Table:
    """A CoNLL file; a sentence becomes a record named after the file and its number, e.g. `train-17`.

    Tokens are joined by single spaces. IOB1, IOB2, BIOES and BILOU tags are read. Sentences between two `-DOCSTART-`
    lines are of one group; without such lines every sentence is its own.

    Raises:
        DataError: Its lines differ in their columns, or it is not clear which column holds the tags.
    """
    text = open_text(source)
    layout = find_layout(text, source.columns)
    stem = _stem(source)

    def rows() -> Iterator[Row]:
        document = 0
        for number, sentence in enumerate(_sentences(text, layout), start=1):
            document += sentence.is_document_start
            values: dict[str, object] = {"id": f"{stem}-{number}", "text": sentence.tokens, "spans": sentence.tags}
            if document:
                values["group"] = f"{stem}-doc{document}"
            yield Row(f"{text.name}, line {sentence.line}", values)

    scheme, strays = scheme_of(sentence.tags for sentence in _sentences(text, layout))
    found = f"{text.name}: tokens in column {layout.token + 1} of {layout.width}, {scheme} tags in {layout.tag + 1}"
    if strays:
        found += f"; {strays:,} tags that continue nothing start a span"
    return Table(text.name, rows, own_columns=True, notes=(*text.notes, found))


def _stem(source: Source) -> str:
    """The file's name; of a pipe, whose name says nothing, what it held."""
    if source.copy is None or Path(source.name).is_file():
        return Path(source.name.removesuffix(".gz")).stem
    with source.copy.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


@dataclass(slots=True)
class _Sentence:
    """Its first line, whether a document starts with it, its tokens and their tags."""

    line: int
    is_document_start: bool
    tokens: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)


def _sentences(text: TextFile, layout: ConllLayout) -> Iterator[_Sentence]:
    sentence, is_document_start = _Sentence(0, False), False
    for number, line in text.lines():
        if is_break(line):
            if sentence.tokens:
                yield sentence
                sentence, is_document_start = _Sentence(0, False), False
            is_document_start |= line.startswith(DOCUMENT)
        elif sentence.tokens or not layout.is_comment(line):
            sentence = sentence if sentence.tokens else _Sentence(number, is_document_start)
            token, tag = _token_and_tag(layout, line, text.name, number)
            sentence.tokens.append(token)
            sentence.tags.append(tag)
    if sentence.tokens:
        yield sentence


def _token_and_tag(layout: ConllLayout, line: str, name: str, number: int) -> tuple[str, str]:
    cells = layout.split(line)
    where = f"{name}, line {number}"
    if len(cells) != layout.width:
        raise DataError(f"{where}: {len(cells)} columns, not {layout.width}; the file changed while it was read")
    token, tag = cells[layout.token], cells[layout.tag]
    if not token:
        raise DataError(f"{where}, column {layout.token + 1}: the token is empty; correct the line, or remove it")
    if layout.token and _RANGE.fullmatch(cells[0]):
        raise DataError(f"{where}: {cells[0]} stands for several tokens; keep the lines of its parts, remove this one")
    if label_of(tag) is None:
        raise no_tag(tag, f"{where}, column {layout.tag + 1}")
    return token, tag


READERS = (Reader("conll", open_conll, (".conll", ".conll03", ".bio", ".iob", ".iob2")),)
