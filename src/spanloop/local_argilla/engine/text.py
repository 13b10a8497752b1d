"""The language of text queries: Elasticsearch's simple query string, as argilla_server asks for it.

    river bank        both words           "river bank"   the phrase
    river | bank      either               river*         words that begin so
    -river            not this word        ( )            grouping
    *                 everything

Read as Lucene's SimpleQueryParser reads it: operators are taken from left to right, words without one between them are
joined by *and*, and nothing is an error: a parenthesis or quotation mark without its partner is left out. Fuzziness
(`word~1`) and slop (`"a b"~2`) are read and ignored. A backslash takes the next character as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from .analysis import words_of

Operator = Literal["and", "or"]
Kind = Literal["word", "prefix", "phrase"]

_ENDS = frozenset(' \t\n\r"|+()')
_OPERATORS: dict[str, Operator] = {"+": "and", "|": "or"}
_PHRASE = re.compile(r'"((?:\\.|[^"\\])*)"', re.DOTALL)
_FUZZY = re.compile(r'~[^\s"|+()]*')


@dataclass(frozen=True, slots=True)
class Leaf:
    """One word as it was typed, the beginning of one, or a phrase."""

    text: str
    kind: Kind = "word"


@dataclass(frozen=True, slots=True)
class Everything:
    """All records."""


@dataclass(frozen=True, slots=True)
class Not:
    """Records that do not match."""

    inner: Node


@dataclass(frozen=True, slots=True)
class Joined:
    """Two or more conditions, joined by *and* or *or*."""

    operator: Operator
    parts: tuple[Node, ...]


Node = Leaf | Everything | Not | Joined

_DEEPEST = 100  # parentheses in parentheses


def parse(query: str) -> Node | None:
    """Read a text query.

    Returns:
        The tree; None where the query holds no word at all.

    Raises:
        ValueError: Parentheses stand in parentheses too often.
    """
    return Everything() if query.strip() == "*" else _Reader(query).tree


class _Reader:
    """Reads a query, or what stands between parentheses, once from left to right."""

    def __init__(self, text: str, depth: int = 0) -> None:
        if depth > _DEEPEST:
            raise ValueError(f"the text query has more than {_DEEPEST} parentheses in each other; take some away")
        self.tree: Node | None = None
        self._text, self._at, self._depth = text, 0, depth
        self._operator: Operator | None = None
        self._last: Operator | None = None
        self._negated = False
        while self._at < len(text):
            self._step(text[self._at])

    def _step(self, char: str) -> None:
        if char == "-":
            self._negated = not self._negated
            self._at += 1
            return
        if char == "(":
            self._group()
        elif char == '"':
            self._phrase()
        elif char in _ENDS:
            if self.tree:
                self._operator = self._operator or _OPERATORS.get(char)
            self._at += 1
        else:
            self._word()
        self._negated = False

    def _group(self) -> None:
        start, end = self._at + 1, _closing(self._text, self._at)
        if end is None:
            self._at = start
            return
        self._join(_Reader(self._text[start:end], self._depth + 1).tree)
        self._at = end + 1

    def _phrase(self) -> None:
        found = _PHRASE.match(self._text, self._at)
        if not found:
            self._at += 1
            return
        self._join(_leaf(_plain(found[1]), "phrase"))
        self._at = _after_fuzziness(self._text, found.end())

    def _word(self) -> None:
        text, start, prefix, taken = self._text, self._at, False, ""
        while self._at < len(text) and text[self._at] not in _ENDS:
            if text[self._at] == "~" and self._at > start:
                self._at = _after_fuzziness(text, self._at)
                prefix = False
                break
            prefix = text[self._at] == "*" and bool(taken)
            self._at += text[self._at] == "\\"
            taken += text[self._at : self._at + 1]
            self._at += 1
        self._join(_leaf(taken[:-1], "prefix") if prefix else _leaf(taken, "word"))

    def _join(self, node: Node | None) -> None:
        """Add a condition: to those of the same operator, or to all before as the first part of a new one."""
        if node:
            node, operator = Not(node) if self._negated else node, self._operator or "and"
            if self.tree is None:
                self.tree = node
            elif self._last == operator and isinstance(self.tree, Joined):
                self.tree = Joined(operator, (*self.tree.parts, node))
            else:
                self.tree, self._last = Joined(operator, (self.tree, node)), operator
        self._operator = None


def _leaf(text: str, kind: Kind) -> Leaf | None:
    return Leaf(text, kind) if words_of(text) else None


def _closing(text: str, start: int) -> int | None:
    """Where the parenthesis that opens at `start` closes."""
    depth, at = 0, start
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] in "()":
            depth += 1 if text[at] == "(" else -1
            if not depth:
                return at
        at += 1
    return None


def _after_fuzziness(text: str, at: int) -> int:
    found = _FUZZY.match(text, at)
    return found.end() if found else at


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)
