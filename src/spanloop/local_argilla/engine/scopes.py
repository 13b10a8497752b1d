"""Where a filter or a sort looks: the values of one record for a scope.

A value may be a list (terms metadata, several labels, the scores of spans): a filter then matches if any item does, and
a sort takes the least item ascending and the greatest descending. Items that are objects stand for their label (spans)
or value (rankings).
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from argilla_server.errors.future import UnprocessableEntityError
from argilla_server.models import Question, Record, Response, Suggestion
from argilla_server.models.base import DatabaseModel
from argilla_server.search_engine import (
    FilterScope,
    MetadataFilterScope,
    RecordFilterScope,
    ResponseFilterScope,
    SuggestionFilterScope,
)
from sqlalchemy import ColumnElement, String, case, func, join, select, true, type_coerce
from sqlalchemy.sql import Select

from .functions import json_path, without_index

_DATES = ("inserted_at", "updated_at")


@dataclass(frozen=True, slots=True)
class Values:
    """The values of a record in a scope.

    Attributes:
        rows: Correlated to `Record`: one row a value, in a column named `value`.
        single: In place of `rows`, the column that is the only value.
        kind: What a given value must be converted to before it is compared: "date", "id", or "" for as it is.
    """

    rows: Select[Any] | None = None
    single: Any = None
    kind: str = ""


def values_of(scope: FilterScope, dataset_id: UUID) -> Values:
    """Find the values that a scope means.

    Raises:
        UnprocessableEntityError: The scope names nothing that has values.
    """
    if isinstance(scope, RecordFilterScope):
        return _record_values(scope)
    if isinstance(scope, MetadataFilterScope):
        return Values(rows=items_of(Record.metadata_, json_path(scope.metadata_property)))
    if isinstance(scope, SuggestionFilterScope):
        return _suggestion_values(scope, dataset_id)
    if isinstance(scope, ResponseFilterScope) and scope.question:
        rows = items_of(Response.values, json_path(scope.question, "value"), Response).where(*_own(scope))
        return Values(rows=rows.correlate(Record))
    if isinstance(scope, ResponseFilterScope) and scope.property == "status":
        rows = select(type_coerce(Response.status, String).label("value")).where(*_own(scope))
        return Values(rows=rows.correlate(Record))
    raise UnprocessableEntityError(f"the scope {scope} cannot be searched or sorted by; name a question or a property")


def _record_values(scope: RecordFilterScope) -> Values:
    name = str(scope.property)
    kind = "id" if name == "id" else "date" if name in _DATES else ""
    return Values(single=without_index(type_coerce(getattr(Record, name), String)), kind=kind)


def _suggestion_values(scope: SuggestionFilterScope, dataset_id: UUID) -> Values:
    question = select(Question.id).where(Question.dataset_id == dataset_id, Question.name == scope.question)
    where = (Suggestion.record_id == Record.id, Suggestion.question_id == question.scalar_subquery())
    if scope.property in ("agent", "type"):
        column = type_coerce(getattr(Suggestion, scope.property), String)
        return Values(rows=select(column.label("value")).where(*where).correlate(Record))
    column = Suggestion.score if scope.property == "score" else Suggestion.value
    return Values(rows=items_of(column, "$", Suggestion).where(*where).correlate(Record))


def _own(scope: ResponseFilterScope) -> list[ColumnElement[bool]]:
    """The responses of a record; of one user if the scope names one."""
    where: list[ColumnElement[bool]] = [Response.record_id == Record.id]
    return [*where, Response.user_id == scope.user.id] if scope.user else where


def items_of(column: Any, path: str, table: type[DatabaseModel] | None = None) -> Select[Any]:
    """Select the items at a path of a JSON column, in a column named `value`; nulls are no items.

    Args:
        column: The JSON column.
        path: Where in it; a value that is no list is one item.
        table: The table of the column, to be read too; None where the column is a given record's.
    """
    item = func.json_each(column, path).table_valued("value", "type")
    label = func.coalesce(func.json_extract(item.c.value, "$.label"), func.json_extract(item.c.value, "$.value"))
    value = case((item.c.type == "object", label), else_=item.c.value).label("value")
    source = item if table is None else join(table, item, true())
    return select(value).select_from(source).where(item.c.type != "null")
