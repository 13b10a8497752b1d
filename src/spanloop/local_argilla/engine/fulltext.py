"""Text queries: conditions and scores from SQLite's FTS5."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from argilla_server.errors.future import UnprocessableEntityError
from argilla_server.models import Record
from sqlalchemy import (
    CTE,
    ColumnElement,
    Float,
    FromClause,
    and_,
    column,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    table,
)

from .text import Both, Leaf, Node, Not, parse

_TEXTS = table(
    "spanloop_texts", column("id"), column("record_id"), column("dataset_id"), column("field"), column("text")
)
_MOST_SCORED = 32  # SQLite joins 64 tables at most
_INDEX = table("spanloop_index", column("rowid"), column("rank"))
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN", "JAVANESE", "BOPOMOFO")


@dataclass(frozen=True, slots=True)
class TextMatch:
    """A text query in SQL.

    Attributes:
        condition: On `Record`.
        hits: For each of the first words, the records that hold it (`record_id`, `score`).
    """

    condition: ColumnElement[bool]
    hits: list[CTE]

    def joined(self) -> FromClause:
        """The records, with the words that each of them holds."""
        records: FromClause = Record.__table__
        for hits in self.hits:
            records = records.outerjoin(hits, hits.c.record_id == Record.id)
        return records

    def score(self) -> ColumnElement[float]:
        """BM25 on `joined`, summed over the words that a record holds; higher is better."""
        score: ColumnElement[float] = literal(0.0, Float)
        for hits in self.hits:
            score = score + func.coalesce(hits.c.score, 0.0)
        return score


def match_text(query: str, field: str | None, dataset_id: UUID) -> TextMatch:
    """Translate a text query. Each word may be in another field, unless one field is named.

    Args:
        query: In the language of `text`.
        field: Name of the field to search, None for all.
        dataset_id: The data set.

    Returns:
        How to match and score; a query without a word matches nothing.

    Raises:
        UnprocessableEntityError: The query is too long.
    """
    try:
        tree = parse(query)
    except ValueError as error:
        raise UnprocessableEntityError(str(error)) from None
    if tree is None:
        return TextMatch(false(), [])
    hits = {leaf: _hits(leaf, f"hits_{i}", field, dataset_id) for i, leaf in enumerate(dict.fromkeys(_leaves(tree)))}
    return TextMatch(_condition(tree, hits), list(hits.values())[:_MOST_SCORED])


def _condition(node: Node, hits: dict[Leaf, CTE]) -> ColumnElement[bool]:
    if isinstance(node, Leaf):
        is_hit: ColumnElement[bool] = Record.id.in_(select(hits[node].c.record_id))
        return is_hit
    if isinstance(node, Not):
        return ~_condition(node.inner, hits)
    sides = _condition(node.left, hits), _condition(node.right, hits)
    return and_(*sides) if node.operator == "and" else or_(*sides)


def _leaves(node: Node) -> Iterator[Leaf]:
    if isinstance(node, Leaf):
        yield node
    elif isinstance(node, Not):
        yield from _leaves(node.inner)
    elif isinstance(node, Both):
        yield from _leaves(node.left)
        yield from _leaves(node.right)


def _hits(leaf: Leaf, name: str, field: str | None, dataset_id: UUID) -> CTE:
    """The records that hold a word, each with the score of its best field."""
    where = [_TEXTS.c.dataset_id == dataset_id.hex]
    if field:
        where.append(_TEXTS.c.field == field)
    if _is_part(leaf.text):
        where.append(func.instr(func.lower(_TEXTS.c.text), func.lower(leaf.text)) > 0)
        hits = select(_TEXTS.c.record_id, literal(1.0).label("score")).where(*where).distinct()
    else:
        matches = literal_column("spanloop_index").op("MATCH")(_phrase(leaf))
        found = select(_INDEX.c.rowid, _INDEX.c.rank).where(matches).subquery()
        score = func.max(-found.c.rank).label("score")
        joined = select(_TEXTS.c.record_id, score).join_from(found, _TEXTS, _TEXTS.c.id == found.c.rowid)
        hits = joined.where(*where).group_by(_TEXTS.c.record_id)
    return hits.cte(name).prefix_with("MATERIALIZED")


def _phrase(leaf: Leaf) -> str:
    """A word or phrase in FTS5's own language, https://www.sqlite.org/fts5.html#full_text_query_syntax."""
    quoted = '"' + leaf.text.replace('"', '""').replace("\0", " ") + '"'
    return quoted + " *" if leaf.prefix else quoted


def _is_part(text: str) -> bool:
    """Whether to look for a part of the text instead of words.

    FTS5 takes a whole sentence of a script without spaces for one word, and knows no emoji.
    """
    if not any(map(str.isalnum, text)):
        return True
    return any(ord(char) > 0x0E00 and unicodedata.name(char, "").startswith(_UNSPACED) for char in text)
