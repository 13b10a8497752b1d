"""Sorts of a search as SQL."""

from typing import Any
from uuid import UUID

from argilla_server.enums import SortOrder
from argilla_server.models import Record
from argilla_server.search_engine import Order, ResponseFilterScope
from sqlalchemy import ColumnElement, UnaryExpression, func, select

from .scopes import values_of


def ordering(sort: list[Order], dataset_id: UUID) -> list[UnaryExpression[Any]]:
    """Translate the keys of a sort; records without a value come last both ways.

    Raises:
        UnprocessableEntityError: The scope of a key has no values.
    """
    return [_key(order, dataset_id) for order in sort]


def by_age() -> list[ColumnElement[Any]]:
    """The order among equals: as they were inserted."""
    return [Record.inserted_at.asc(), Record.id.asc()]


def _key(order: Order, dataset_id: UUID) -> UnaryExpression[Any]:
    ascending = order.order == SortOrder.asc
    values = values_of(order.scope, dataset_id)
    key = values.single
    if values.rows is not None:
        rows = values.rows.subquery()
        # several annotators' ratings are averaged; labels and statuses have no mean, and the average of equals is exact
        mean = isinstance(order.scope, ResponseFilterScope) and order.scope.question is not None
        pick = func.min if ascending else func.max
        key = select(_mean(rows.c.value, pick) if mean else pick(rows.c.value)).scalar_subquery()
    return (key.asc() if ascending else key.desc()).nulls_last()


def _mean(value: ColumnElement[Any], pick: Any) -> ColumnElement[Any]:
    text = pick(value).filter(func.typeof(value) == "text")
    return func.coalesce(text, func.avg(value))
