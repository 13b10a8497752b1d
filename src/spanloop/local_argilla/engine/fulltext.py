"""Text queries: which records match, and how well.

SQLite's full-text index says which texts hold a word. What a hit is worth is reckoned here, as Elasticsearch does it
with an index for each data set: BM25 in each field by itself, summed over fields and words (Robertson et al., 1994;
Lucene's parameters). The rank of SQLite's index counts the texts of all data sets and fields together; how often a text
holds a word is read off it.
"""

import json
import math
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from argilla_server.errors.future import UnprocessableEntityError
from argilla_server.models import Record
from sqlalchemy import (
    CTE,
    ColumnElement,
    Float,
    FromClause,
    Select,
    String,
    column,
    func,
    literal_column,
    select,
    table,
    type_coerce,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from .analysis import Word, folded, words_of
from .functions import varint, varints
from .text import Everything, Joined, Leaf, Node, parse

Hits = dict[str, float]
"""Scores by record id, as the database writes it."""

_TEXTS = table(
    "spanloop_texts", column("id"), column("record_id"), column("dataset_id"), column("field"), column("text")
)
_INDEX = table("spanloop_index", column("rowid"), column("rank"))
_SIZES = table("spanloop_index_docsize", column("id"), column("sz"))
_AVERAGES = table("spanloop_index_data", column("id"), column("block"))
_K1, _B = 1.2, 0.75


@dataclass(frozen=True, slots=True)
class TextMatch:
    """The records that match a text query.

    Attributes:
        hits: One row a record: `key`, its id, and `value`, its score.
    """

    hits: CTE

    @property
    def condition(self) -> ColumnElement[bool]:
        """Whether `Record` matches."""
        return type_coerce(Record.id, String).in_(select(self.hits.c.key))

    def joined(self) -> FromClause:
        """The records that match, with their scores."""
        records: FromClause = Record.__table__
        return records.join(self.hits, self.hits.c.key == type_coerce(Record.id, String))

    def score(self) -> ColumnElement[float]:
        """The score on `joined`; higher is better."""
        return type_coerce(self.hits.c.value, Float)


async def match_text(connection: AsyncConnection, query: str, field: str | None, dataset_id: UUID) -> TextMatch:
    """Find what a text query matches. Each word may be in another field, unless one field is named.

    Args:
        connection: To the database.
        query: In the language of `text`.
        field: Name of the field to search, None for all.
        dataset_id: The data set.

    Returns:
        The records; a query without a word matches nothing.

    Raises:
        UnprocessableEntityError: Parentheses stand in parentheses too often.
    """
    try:
        tree = parse(query)
    except ValueError as error:
        raise UnprocessableEntityError(str(error)) from None
    hits = await _Search(connection, dataset_id, field).hits(tree) if tree else {}
    rows = func.json_each(json.dumps(hits)).table_valued("key", "value")
    return TextMatch(select(rows.c.key, rows.c.value).cte("text_hits").prefix_with("MATERIALIZED"))


@dataclass(frozen=True, slots=True)
class _Sizes:
    """How many texts a field of the data set has, and how many words they have in the mean."""

    n: int
    mean: float


class _Search:
    """One text query in one data set."""

    def __init__(self, connection: AsyncConnection, dataset_id: UUID, field: str | None) -> None:
        self._connection = connection
        self._dataset = dataset_id
        self._where = [_TEXTS.c.dataset_id == dataset_id.hex, *([_TEXTS.c.field == field] if field else [])]
        self._sizes: dict[str, _Sizes] | None = None
        self._found: dict[Leaf, Hits] = {}

    async def hits(self, node: Node) -> Hits:
        """The records that match, each with the sum of what its parts are worth; not to match something is worth 1."""
        if isinstance(node, Leaf):
            if node not in self._found:
                self._found[node] = await self._leaf(node)
            return self._found[node]
        if isinstance(node, Joined):
            return await self._joined(node)
        everything = dict.fromkeys(await self._all(), 1.0)
        if isinstance(node, Everything):
            return everything
        found = await self.hits(node.inner)
        return {i: score for i, score in everything.items() if i not in found}

    async def _joined(self, node: Node) -> Hits:
        """From the innermost first part outwards: a long query nests deeper than Python calls."""
        outer: list[Joined] = []
        while isinstance(node, Joined):
            outer.append(node)
            node = node.parts[0]
        found = await self.hits(node)
        for joined in reversed(outer):
            for part in joined.parts[1:]:
                more = await self.hits(part)
                ids = found.keys() & more.keys() if joined.operator == "and" else found.keys() | more.keys()
                found = {i: found.get(i, 0.0) + more.get(i, 0.0) for i in ids}
        return found

    async def _all(self) -> list[str]:
        ids = select(type_coerce(Record.id, String)).where(Record.dataset_id == self._dataset)
        return list((await self._connection.execute(ids)).scalars())

    async def _leaf(self, leaf: Leaf) -> Hits:
        """All words of a leaf have to be in one field of a record; what several fields are worth adds up."""
        together = leaf.kind != "word"
        words = [Word(folded(leaf.text), any(w.part for w in words_of(leaf.text)))] if together else words_of(leaf.text)
        found = [await self._word(word, prefix=leaf.kind == "prefix") for word in dict.fromkeys(words)]
        hits: Hits = {}
        for place in set(found[0]).intersection(*found):
            hits[place[0]] = hits.get(place[0], 0.0) + sum(scores[place] for scores in found)
        return hits

    async def _word(self, word: Word, *, prefix: bool) -> dict[tuple[str, str], float]:
        """The score of each record and field that holds a word."""
        rows = await (self._parts(word.text) if word.part else self._matches(word.text, prefix))
        if prefix:
            return dict.fromkeys(((record, field) for record, field, _, _ in rows), 1.0)
        sizes, counts = await self._of_fields(), dict[str, int]()
        for _, field, _, _ in rows:
            counts[field] = counts.get(field, 0) + 1
        return {(record, field): _bm25(times, size, sizes[field], counts[field]) for record, field, times, size in rows}

    async def _of_fields(self) -> dict[str, _Sizes]:
        if self._sizes is None:
            size = varint(_SIZES.c.sz)
            rows = select(_TEXTS.c.field, func.count(), func.avg(size)).join_from(
                _TEXTS, _SIZES, _SIZES.c.id == _TEXTS.c.id
            )
            found = await self._connection.execute(rows.where(*self._where).group_by(_TEXTS.c.field))
            self._sizes = {field: _Sizes(n, mean) for field, n, mean in found}
        return self._sizes

    async def _parts(self, text: str) -> list[tuple[str, str, float, int]]:
        """Texts in which it stands anywhere: record, field, how often, words of the text."""
        lower, part = func.lower(_TEXTS.c.text), text.lower()
        times = (func.length(lower) - func.length(func.replace(lower, part, ""))) / len(part)
        rows = self._rows(times).where(func.instr(lower, part) > 0)
        return [(r, f, float(times), size) for r, f, times, size in await self._connection.execute(rows)]

    async def _matches(self, text: str, prefix: bool) -> list[tuple[str, str, float, int]]:
        """Texts that the index finds: record, field, how often, words of the text."""
        quoted = '"' + text.replace('"', '""').replace("\0", " ") + '"'
        matches = literal_column("spanloop_index").op("MATCH")(quoted + " *" * prefix)
        found = select(_INDEX.c.rowid, _INDEX.c.rank).where(matches).subquery()
        rows = (
            await self._connection.execute(self._rows(found.c.rank).join(found, found.c.rowid == _TEXTS.c.id))
        ).all()
        if prefix or not rows:
            return [(r, f, 1.0, size) for r, f, _, size in rows]
        everywhere = await self._connection.scalar(select(func.count()).select_from(_INDEX).where(matches)) or 0
        block = await self._connection.scalar(select(_AVERAGES.c.block).where(_AVERAGES.c.id == 1))
        n, words = varints(bytes(block or b""))[:2]
        idf = max(math.log((n - everywhere + 0.5) / (everywhere + 0.5)), 1e-6)  # as FTS5 has it
        return [(r, f, _times(-rank / idf, size, words / n), size) for r, f, rank, size in rows]

    def _rows(self, value: ColumnElement[Any]) -> Select[Any]:
        columns = _TEXTS.c.record_id, _TEXTS.c.field, value, varint(_SIZES.c.sz)
        return select(*columns).join_from(_TEXTS, _SIZES, _SIZES.c.id == _TEXTS.c.id).where(*self._where)


def _times(weight: float, size: int, mean: float) -> float:
    """How often a text holds a phrase, from its weight in the index's own BM25."""
    return weight * _K1 * (1 - _B + _B * size / mean) / max(_K1 + 1 - weight, 1e-9)


def _bm25(times: float, size: int, sizes: _Sizes, holding: int) -> float:
    """What a word is worth that stands so many times in a text of so many words."""
    idf = math.log(1 + (sizes.n - holding + 0.5) / (holding + 0.5))
    return idf * times / (times + _K1 * (1 - _B + _B * size / max(sizes.mean, 1e-9)))
