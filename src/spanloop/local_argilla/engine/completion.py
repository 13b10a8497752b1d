"""How far a data set is, and how the values of a metadata property are spread."""

from uuid import UUID

from argilla_server.enums import MetadataPropertyType
from argilla_server.models import MetadataProperty, Record, Response
from argilla_server.search_engine import (
    FloatMetadataMetrics,
    IntegerMetadataMetrics,
    MetadataMetrics,
    TermsMetrics,
)
from sqlalchemy import Executable, String, Subquery, func, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from .functions import json_path, without_index
from .scopes import items_of

_MAX_TERMS = 2**14


async def dataset_progress(connection: AsyncConnection, dataset_id: UUID) -> dict[str, int]:
    """Count the records by status.

    Returns:
        `total`, and `completed` and `pending` where there are any.
    """
    status = type_coerce(Record.status, String)
    return await _counts(
        connection, select(status, func.count()).where(Record.dataset_id == dataset_id).group_by(status)
    )


async def user_progress(connection: AsyncConnection, dataset_id: UUID, user_id: UUID) -> dict[str, int]:
    """Count one user's responses by status.

    Returns:
        `total`, and `submitted`, `draft` and `discarded` where there are any.
    """
    status = type_coerce(Response.status, String)
    query = (
        select(status, func.count())
        .join(Record, Record.id == Response.record_id)
        .where(without_index(Record.dataset_id) == dataset_id, Response.user_id == user_id)
        .group_by(status)
    )
    return await _counts(connection, query)


async def metadata_metrics(connection: AsyncConnection, metadata_property: MetadataProperty) -> MetadataMetrics:
    """Count the values of a terms property, the most frequent first; or find the least and greatest number."""
    items = items_of(Record.metadata_, json_path(metadata_property.name), Record)
    items = items.add_columns(Record.id).where(Record.dataset_id == metadata_property.dataset_id)
    if metadata_property.type == MetadataPropertyType.terms:
        return await _terms(connection, items.distinct().subquery())
    value = items.subquery().c.value
    low, high = (await connection.execute(select(func.min(value), func.max(value)))).one()
    is_integer = metadata_property.type == MetadataPropertyType.integer
    return (IntegerMetadataMetrics if is_integer else FloatMetadataMetrics)(min=low, max=high)


async def _terms(connection: AsyncConnection, items: Subquery) -> TermsMetrics:
    count = func.count()
    query = select(items.c.value, count).group_by(items.c.value).order_by(count.desc(), items.c.value)
    rows = (await connection.execute(query)).all()
    values = [TermsMetrics.TermCount(term=str(term), count=n) for term, n in rows[:_MAX_TERMS]]
    return TermsMetrics(total=sum(n for _, n in rows), values=values)


async def _counts(connection: AsyncConnection, query: Executable) -> dict[str, int]:
    counts: dict[str, int] = dict(map(tuple, await connection.execute(query)))
    return {"total": sum(counts.values()), **counts}
