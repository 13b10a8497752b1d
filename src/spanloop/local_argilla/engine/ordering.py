"""Sorts of a search as SQL."""

from typing import Any
from uuid import UUID

from argilla_server.enums import SortOrder
from argilla_server.models import Record
from argilla_server.search_engine import Order, ResponseFilterScope
from sqlalchemy import ColumnElement, Select, UnaryExpression, case, func, select

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
    values = values_of(order.scope, dataset_id)
    key = values.single if values.rows is None else _one_of(values.rows, order)
    return (key.asc() if order.order == SortOrder.asc else key.desc()).nulls_last()


def _one_of(rows: Select[Any], order: Order) -> ColumnElement[Any]:
    """The least value ascending, the greatest descending; but the mean of the ratings that annotators gave."""
    value = rows.subquery().c.value
    pick: ColumnElement[Any] = func.min(value) if order.order == SortOrder.asc else func.max(value)
    if isinstance(order.scope, ResponseFilterScope) and order.scope.question:
        pick = case((func.max(func.typeof(value)) == "text", pick), else_=func.avg(value))
    return select(pick).scalar_subquery()
