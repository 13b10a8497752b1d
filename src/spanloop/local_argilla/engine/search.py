"""The engine class that argilla_server talks to."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from argilla_server.database import async_engine
from argilla_server.enums import SimilarityOrder
from argilla_server.models import Dataset, MetadataProperty, Record, User, VectorSettings
from argilla_server.search_engine import (
    Filter,
    MetadataMetrics,
    Order,
    SearchEngine,
    SearchResponseItem,
    SearchResponses,
    TextQuery,
)
from sqlalchemy import ColumnElement, Float, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from .completion import dataset_progress, metadata_metrics, user_progress
from .conditions import condition
from .fulltext import TextMatch, match_text
from .functions import random_of
from .ordering import by_age, ordering
from .similarity import nearest

NAME = "sqlite"


class SqliteSearchEngine(SearchEngine):
    """Answers from Argilla's tables; nothing is to be indexed, so every hook after a write does nothing."""

    @classmethod
    async def new_instance(cls) -> "SqliteSearchEngine":
        """Make the engine of one request; it has no state."""
        return cls()

    async def search(  # noqa: PLR0917 - argilla_server's signature
        self,
        dataset: Dataset,
        query: TextQuery | str | None = None,
        filter: Filter | None = None,
        sort: list[Order] | None = None,
        offset: int = 0,
        limit: int = 100,
        user_id: UUID | None = None,
    ) -> SearchResponses:
        """Find records.

        Args:
            dataset: Where.
            query: Text to find.
            filter: Conditions on metadata, responses, suggestions and the record itself.
            sort: Order of the answer; None takes the best match first, then the oldest record.
            offset: Number of matches to leave out.
            limit: Number of records in the answer.
            user_id: Without a sort, the order is random, another one for each user and the same one each time.

        Returns:
            A page of record ids and the number of all matches. Scores are None where a sort was given.
        """
        async with async_engine.connect() as connection:
            match = await _text_match(connection, dataset, query)
            where = _where(dataset, match, filter)
            score: ColumnElement[Any] = match.score() if match else literal(1.0, Float)
            if user_id is not None:
                score = score * random_of(str(user_id), Record.id)
            by_score = [score.desc()] if match or user_id else []
            order = ordering(sort, dataset.id) if sort else by_score
            page = select(Record.id, literal(None) if sort else score, func.count().over()).where(*where)
            page = page.select_from(match.joined()) if match and not sort else page
            rows = (await connection.execute(page.order_by(*order, *by_age()).offset(offset).limit(limit))).all()
            if rows or not offset:
                total = rows[0][2] if rows else 0
            else:
                total = await connection.scalar(select(func.count()).select_from(Record).where(*where))
        items = [SearchResponseItem(record_id=id, score=score) for id, score, _ in rows]
        return SearchResponses(items=items, total=total)

    async def similarity_search(  # noqa: PLR0917 - argilla_server's signature
        self,
        dataset: Dataset,
        vector_settings: VectorSettings,
        value: list[float] | None = None,
        record: Record | None = None,
        query: TextQuery | str | None = None,
        filter: Filter | None = None,
        max_results: int = 100,
        order: SimilarityOrder = SimilarityOrder.most_similar,
        threshold: float | None = None,
    ) -> SearchResponses:
        """Find the records whose vector is most, or least, like a given one or a record's.

        Raises:
            ValueError: Neither or both of `value` and `record` are given, or the record has no such vector.
        """
        if bool(value) == bool(record):
            raise ValueError("Must provide either vector value or record to compute the similarity search")
        vector = value or (record.vector_value_by_vector_settings(vector_settings) if record else None)
        if not vector:
            raise ValueError("Cannot find a vector value to apply with provided info")
        if order == SimilarityOrder.least_similar:
            vector = [-x for x in vector]
        async with async_engine.connect() as connection:
            where = _where(dataset, await _text_match(connection, dataset, query), filter)
            if record:
                where.append(Record.id != record.id)
            found = await nearest(connection, where, vector_settings.id, vector, max_results)
        kept = [(id, score) for id, score in found if threshold is None or score >= threshold]
        return SearchResponses(items=[SearchResponseItem(record_id=id, score=s) for id, s in kept], total=len(found))

    async def get_dataset_progress(self, dataset: Dataset) -> dict[str, int]:
        """Count records by status; nothing for a draft."""
        if dataset.is_draft:
            return {}
        async with async_engine.connect() as connection:
            return await dataset_progress(connection, dataset.id)

    async def get_dataset_user_progress(self, dataset: Dataset, user: User) -> dict[str, int]:
        """Count a user's responses by status; nothing for a draft."""
        if dataset.is_draft:
            return {}
        async with async_engine.connect() as connection:
            return await user_progress(connection, dataset.id, user.id)

    async def compute_metrics_for(self, metadata_property: MetadataProperty) -> MetadataMetrics:
        """Sum up a metadata property for the filters of the UI."""
        async with async_engine.connect() as connection:
            return await metadata_metrics(connection, metadata_property)

    async def ping(self) -> bool:
        """Say whether the database answers."""
        async with async_engine.connect() as connection:
            return bool(await connection.scalar(select(1)))

    async def info(self) -> dict[str, str]:
        """Describe the engine for `GET /status`."""
        async with async_engine.connect() as connection:
            return {"name": "spanloop", "sqlite": str(await connection.scalar(select(func.sqlite_version())))}

    async def close(self) -> None:
        """Nothing is held."""

    async def create_index(self, dataset: Dataset) -> None:
        """Nothing to do."""

    async def delete_index(self, dataset: Dataset) -> None:
        """Nothing to do."""

    async def configure_metadata_property(self, dataset: Dataset, metadata_property: MetadataProperty) -> None:
        """Nothing to do."""

    async def configure_index_vectors(self, vector_settings: VectorSettings) -> None:
        """Nothing to do."""

    async def index_records(self, dataset: Dataset, records: Iterable[Record]) -> None:
        """Nothing to do."""

    async def partial_record_update(self, record: Record, **update: Any) -> None:
        """Nothing to do."""

    async def delete_records(self, dataset: Dataset, records: Iterable[Record]) -> None:
        """Nothing to do."""

    async def update_record_response(self, response: Any) -> None:
        """Nothing to do."""

    async def delete_record_response(self, response: Any) -> None:
        """Nothing to do."""

    async def update_record_suggestion(self, suggestion: Any) -> None:
        """Nothing to do."""

    async def delete_record_suggestion(self, suggestion: Any) -> None:
        """Nothing to do."""


async def _text_match(connection: AsyncConnection, dataset: Dataset, query: TextQuery | str | None) -> TextMatch | None:
    if query is None:
        return None
    given = TextQuery(q=query) if isinstance(query, str) else query
    return await match_text(connection, given.q, given.field, dataset.id)


def _where(dataset: Dataset, match: TextMatch | None, filter: Filter | None) -> list[ColumnElement[bool]]:
    where = [Record.dataset_id == dataset.id]
    if match:
        where.append(match.condition)
    if filter:
        where.append(condition(filter, dataset.id))
    return where
