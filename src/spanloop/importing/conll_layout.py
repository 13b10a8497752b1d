"""Which column of a CoNLL file holds the tokens, which one the tags: named, or seen from the whole file."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from spanloop.config import ColumnsConfig
from spanloop.errors import DataError
from spanloop.importing.tags import is_tag
from spanloop.importing.text_files import TextFile

DOCUMENT = "-DOCSTART-"
_COMMENT = re.compile(r"#\s*(id|sent_id|newdoc|newpar|doc_id|text)\b")
_INDEX = re.compile(r"(\d+)([-.]\d+)?")
# CoNLL-2000: phrases, no entities
_CHUNKS = {"NP", "VP", "PP", "ADVP", "ADJP", "SBAR", "PRT", "CONJP", "INTJ", "LST", "UCP"}
_MOSTLY = 0.9  # share of tags in a column of tags; the others are told by their lines


@dataclass(frozen=True, slots=True)
class ConllLayout:
    """The form of a file's lines.

    Attributes:
        split: Takes a line apart into its columns.
        width: Number of columns, those left out that are empty at the end of lines.
        delimiter: What stands between them, for people.
        token: Which column holds the token, from 0.
        tag: Which column holds the tag, from 0.
    """

    split: Callable[[str], list[str]]
    width: int
    delimiter: str
    token: int = 0
    tag: int = -1

    def is_comment(self, line: str) -> bool:
        """Whether a line, the first of a sentence, is a comment: it begins with # and is no token with its columns."""
        return line.startswith("#") and (bool(_COMMENT.match(line)) or len(self.split(line)) != self.width)


def is_break(line: str) -> bool:
    """Whether a line stands between sentences."""
    return not line.strip(" \t\r\n") or line.startswith(DOCUMENT)


def find_layout(text: TextFile, columns: ColumnsConfig) -> ConllLayout:
    """The layout of a file, by all of its lines.

    Args:
        text: The file.
        columns: Its `text` and `spans` name the columns of tokens and tags where they are numbers, from 1.

    Raises:
        DataError: A line has another number of columns than most, a column that was named is not there, or several
            columns hold tags and none was named.
    """
    layout = _lines_form(text)
    seen = [_Column() for _ in range(layout.width)]
    for number, cells in _token_lines(text, layout):
        if cells is None:
            for column in seen:
                column.end_sentence()
            continue
        if len(cells) != layout.width:
            raise _odd_line(f"{text.name}, line {number}", cells, layout)
        for column, cell in zip(seen, cells, strict=True):
            column.add(cell)
    named_token, named_tag = (_numbered(text, name, layout.width) for name in (columns.text, columns.spans))
    tag = _tag_column(text, seen) if named_tag is None else named_tag
    token = _token_column(text, seen, tag) if named_token is None else named_token
    return ConllLayout(layout.split, layout.width, layout.delimiter, token, tag)


def _lines_form(text: TextFile) -> ConllLayout:
    """Delimiter and number of columns that most lines have."""
    tabs: Counter[int] = Counter()
    blanks: Counter[int] = Counter()
    all_tabs = True
    is_first = True
    for _, line in text.lines():
        if is_break(line):
            is_first = True
        elif not (is_first and line.startswith("#")):
            is_first = False
            all_tabs = all_tabs and "\t" in line
            tabs[len(_by_tabs(line)) if all_tabs else 1] += 1
            blanks[len(_by_blanks(line))] += 1
    is_by_tabs = all_tabs and max(tabs, default=0) > 1
    widths = tabs if is_by_tabs else blanks
    width = max(widths, key=lambda n: (widths[n], n), default=2)
    return ConllLayout(_by_tabs if is_by_tabs else _by_blanks, max(width, 2), "tabs" if is_by_tabs else "blanks")


def _by_tabs(line: str) -> list[str]:
    cells = [cell.strip(" ") for cell in line.rstrip("\r\n").split("\t")]
    while len(cells) > 1 and not cells[-1]:
        cells.pop()
    return cells


def _by_blanks(line: str) -> list[str]:
    cells = line.strip(" \t\r\n").replace("\t", " ").split(" ")  # other white space is part of a token, e.g. 10 000
    return [cell for cell in cells if cell] if "" in cells else cells


def _token_lines(text: TextFile, layout: ConllLayout) -> Iterator[tuple[int, list[str] | None]]:
    """The columns of every line with a token; None after a sentence."""
    is_first = True
    for number, line in text.lines():
        if is_break(line):
            yield number, None
            is_first = True
        elif not (is_first and layout.is_comment(line)):
            yield number, layout.split(line)
            is_first = False
    yield 0, None


def _odd_line(where: str, cells: list[str], layout: ConllLayout) -> DataError:
    if len(cells) == 1:
        return DataError(f"{where}: {cells[0][:50]!r} is a token without a tag; put its tag into the same line")
    return DataError(
        f"{where}: the line has {len(cells)} columns, most have {layout.width}, between {layout.delimiter}; "
        "correct it, and write tabs between columns where a token holds blanks"
    )


@dataclass(slots=True)
class _Column:
    """What is seen of a column."""

    values: int = 0
    tags: int = 0
    labels: set[str] = field(default_factory=set)
    is_index: bool = True
    is_number: bool = True
    is_same: bool = True
    longest: int = 0
    _sentence: list[str] = field(default_factory=list)
    _last: int = 0

    def add(self, cell: str) -> None:
        self._sentence.append(cell)
        self.is_number = self.is_number and bool(_INDEX.fullmatch(cell))
        if cell in ("_", ""):
            return
        self.values += 1
        if is_tag(cell):
            self.tags += 1
            if cell != "O":
                self.labels.add(cell[2:])

    def end_sentence(self) -> None:
        if not self._sentence:
            return
        if self.is_index:
            self._count_up()
        self.is_same = self.is_same and len(set(self._sentence)) == 1
        self.longest = max(self.longest, len(self._sentence))
        self._sentence = []

    def _count_up(self) -> None:
        """Numbers that count the tokens go up by one from 0 or 1, or go on from the sentence before."""
        found = [_INDEX.fullmatch(cell) for cell in self._sentence]
        numbers = [int(number[1][:18]) for number in found if number]
        self.is_index = len(numbers) == len(found) and numbers[0] in (0, 1, self._last, self._last + 1)
        self.is_index &= all(0 <= after - before <= 1 for before, after in pairwise(numbers))
        self._last = numbers[-1] if numbers else 0

    @property
    def holds_tags(self) -> bool:
        return self.tags >= max(1, _MOSTLY * self.values)

    @property
    def holds_phrases(self) -> bool:
        return bool(self.labels) and self.labels <= _CHUNKS

    @property
    def holds_tokens(self) -> bool:
        """Not the numbers of the tokens, nor what is the same on all lines of a sentence, as a document's name."""
        return not (self.is_index and self.longest > 1) and not (self.is_same and self.longest > 2)


def _tag_column(text: TextFile, seen: list[_Column]) -> int:
    """The one column of tags; of several, phrases and columns without any label do not count."""
    found = [number for number, column in enumerate(seen) if column.holds_tags]
    if len(seen) == 2:
        return 0 if found == [0] else 1
    found = [number for number in found if not seen[number].holds_phrases] or found
    labelled = [number for number in found if seen[number].labels]
    if len(labelled) < 2:  # columns of O alone say nothing beside one with labels, and all the same without one
        return (labelled or found or [len(seen) - 1])[-1]
    shown = " and ".join(str(number + 1) for number in labelled)
    raise DataError(
        f"{text.name}: columns {shown} hold tags; name one with --spans, e.g. --spans {labelled[0] + 1}, "
        "and the column of the tokens with --text"
    )


def _token_column(text: TextFile, seen: list[_Column], tag: int) -> int:
    others = [number for number in range(len(seen)) if number != tag]
    found = next((number for number in others if seen[number].holds_tokens), others[0])
    if seen[found].is_number and not all(seen[number].is_number or seen[number].holds_tags for number in others):
        raise DataError(
            f"{text.name}: column {found + 1} holds numbers alone; name the column of the tokens with --text, "
            f"e.g. --text {found + 2}"
        )
    return found


def _numbered(text: TextFile, name: str, width: int) -> int | None:
    """The column that a number names; None where the setting is no number: it is of files whose columns have names."""
    if not re.fullmatch(r"[0-9]+", name):
        return None
    if not 1 <= int(name[:9]) <= width:
        raise DataError(f"{text.name}: there is no column {name}; its lines have {width}, counted from 1")
    return int(name) - 1
