"""The language of text queries: Elasticsearch's simple query string, as argilla_server asks for it.

    river bank        both words           "river bank"   the phrase
    river | bank      either               river*         words that begin so
    -river            not this word        ( )            grouping

Operators are taken from left to right and words without one between them are joined by *and*, as in Lucene's
SimpleQueryParser. Fuzziness (`word~1`) and slop (`"a b"~2`) are read and ignored. A backslash takes the next character
as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from unicodedata import category

_TOKEN = re.compile(
    r"""(?P<space>\s+) | (?P<sign>[|+()]) | (?P<not>-)
      | "(?P<phrase>(?:\\.|[^"\\])*)"(?:~\d+)?
      | (?P<word>(?:\\.|[^\s|+()"\\])+) | (?P<stray>["\\])""",
    re.VERBOSE | re.DOTALL,
)
_FUZZY = re.compile(r"(?<!\\)~\d*$")


Operator = Literal["and", "or"]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One word, beginning of a word, or phrase, as it was typed."""

    text: str
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Not:
    """Records that do not match."""

    inner: Node


@dataclass(frozen=True, slots=True)
class Both:
    """Two conditions, joined by *and* or *or*."""

    operator: Operator
    left: Node
    right: Node


Node = Leaf | Not | Both

_MOST = 128


def parse(query: str) -> Node | None:
    """Read a text query.

    Returns:
        The tree, or None where the query holds no word at all.

    Raises:
        ValueError: It is too long for one SQL statement.
    """
    tokens = [(match.lastgroup or "", match[0], match) for match in _TOKEN.finditer(query)]
    if (count := sum(kind != "space" for kind, _, _ in tokens)) > _MOST:
        raise ValueError(f"the text query has {count} words and operators; {_MOST} is the most")
    return _Parser(tokens).group()


class _Parser:
    """Reads tokens once, from left to right. Nothing is an error: what makes no sense is left out."""

    def __init__(self, tokens: list[tuple[str, str, re.Match[str]]]) -> None:
        self._tokens = tokens
        self._at = 0

    def group(self) -> Node | None:
        """Read up to the closing parenthesis or the end."""
        tree: Node | None = None
        operator: Operator | None = None
        negated = False
        while self._at < len(self._tokens):
            kind, text, match = self._tokens[self._at]
            self._at += 1
            if kind == "sign" and text == ")":
                break
            if kind == "not":
                negated = not negated
                continue
            if kind == "sign" and text in "|+":
                operator = operator or ("or" if text == "|" else "and") if tree else None
            elif kind in ("sign", "phrase", "word"):
                node = self.group() if kind == "sign" else _leaf(kind, match)
                tree = _join(operator or "and", tree, Not(node) if node and negated else node)
                operator = None
            negated = False
        return tree


def _leaf(kind: str, match: re.Match[str]) -> Leaf | None:
    raw = match["phrase"] if kind == "phrase" else _FUZZY.sub("", match["word"] or "")
    prefix = kind == "word" and raw.endswith("*") and not raw.endswith("\\*")
    text = re.sub(r"\\(.)", r"\1", raw[:-1] if prefix else raw, flags=re.DOTALL)
    return Leaf(text, prefix) if any(char.isalnum() or category(char) == "So" for char in text) else None


def _join(operator: Operator, left: Node | None, right: Node | None) -> Node | None:
    return Both(operator, left, right) if left and right else left or right
