"""Filters of a search as SQL conditions on `Record`."""

import math
from collections.abc import Callable
from typing import Any
from uuid import UUID

from argilla_server.enums import ResponseStatusFilter
from argilla_server.errors.future import UnprocessableEntityError
from argilla_server.models import Record, Response
from argilla_server.search_engine import AndFilter, Filter, RangeFilter, ResponseFilterScope, TermsFilter
from sqlalchemy import ColumnElement, String, and_, exists, false, func, or_, true, type_coerce

from .dates import moments_of
from .functions import without_index
from .scopes import Values, values_of


def condition(filter: Filter, dataset_id: UUID) -> ColumnElement[bool]:
    """Translate a filter.

    Raises:
        UnprocessableEntityError: Its scope or a value of it makes no sense.
    """
    if isinstance(filter, AndFilter):
        return and_(true(), *(condition(each, dataset_id) for each in filter.filters or ()))
    if isinstance(filter.scope, ResponseFilterScope) and not filter.scope.question:
        return _response_status(filter)
    values = values_of(filter.scope, dataset_id)
    if isinstance(filter, TermsFilter) and values.kind == "date":
        moments = [moments_of(value) for value in filter.values]
        return or_(*(_between(values.single, low, high) for low, high in moments))
    if isinstance(filter, TermsFilter):
        return _any(values, lambda value: value.in_(_terms(filter.values, values.kind)))
    return _any(values, lambda value: _within(value, filter, values.kind))


def _any(values: Values, test: Callable[[Any], ColumnElement[bool]]) -> ColumnElement[bool]:
    if values.rows is None:
        return test(values.single)
    rows = values.rows
    return exists(rows.where(test(rows.selected_columns.value.element)))


def _response_status(filter: Filter) -> ColumnElement[bool]:
    """Pending means no response at all, draft and discarded included: of this user, or of anybody without one."""
    if filter.scope.property != "status" or not isinstance(filter, TermsFilter):
        raise UnprocessableEntityError("responses are filtered by a question, or by terms of their status")
    own = [Response.record_id == Record.id]
    if filter.scope.user:
        own.append(Response.user_id == filter.scope.user.id)
    either = []
    if ResponseStatusFilter.pending in filter.values:
        either.append(~exists().where(*own))
    if statuses := [str(value) for value in filter.values if value != ResponseStatusFilter.pending]:
        either.append(exists().where(*own, without_index(type_coerce(Response.status, String)).in_(statuses)))
    return or_(*either)


def _terms(values: list[str], kind: str) -> list[Any]:
    """What a stored value may equal: the text that was given and, for numbers, the number that it spells."""
    if kind == "id":
        return [given.hex for value in values if (given := _as_uuid(value))]
    texts = [str(value) for value in values]
    return texts + [number for text in texts if (number := _as_number(text)) is not None]


def _within(value: ColumnElement[Any], filter: RangeFilter, kind: str) -> ColumnElement[bool]:
    """Numbers are compared as numbers and text as text, whichever way the bound was given."""
    if kind == "date":
        low, high = (None if bound is None else moments_of(bound) for bound in (filter.ge, filter.le))
        return _between(value, low and low[0], high and high[1])
    bounds = [filter.ge, filter.le]
    as_text = _between(value, *(None if bound is None else str(bound) for bound in bounds))
    numbers = [_as_number(bound) for bound in bounds]
    as_number = _between(value, *numbers) if bounds.count(None) == numbers.count(None) else false()
    is_text = func.typeof(value) == "text"
    return or_(and_(is_text, as_text), and_(~is_text, as_number))


def _between(value: ColumnElement[Any], low: Any, high: Any) -> ColumnElement[bool]:
    at_least = true() if low is None else value >= low
    at_most = true() if high is None else value <= high
    return and_(at_least, at_most)


def _as_number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _as_uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None
