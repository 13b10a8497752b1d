"""SQL functions that SQLite lacks, and expressions that SQLAlchemy has no word for."""

import hashlib
from typing import Any

from sqlalchemy import ColumnElement, Float, Integer, event, func
from sqlalchemy.engine import Engine
from sqlalchemy.sql.expression import UnaryExpression
from sqlalchemy.sql.operators import custom_op

_RANDOM = "spanloop_random"
_VARINT = "spanloop_varint"


def install() -> None:
    """Add the functions to every connection from now on."""
    event.listen(Engine, "connect", _add_functions)


def _add_functions(connection: Any, record: Any) -> None:
    connection.create_function(_RANDOM, 2, seeded_random, deterministic=True)
    connection.create_function(_VARINT, 1, lambda data: varints(data)[0], deterministic=True)


def seeded_random(seed: str, key: str) -> float:
    """A number in [0, 1) that depends on nothing but its arguments."""
    return int.from_bytes(hashlib.blake2b(f"{seed}/{key}".encode(), digest_size=6).digest()) / 2**48


def random_of(seed: str, key: Any) -> ColumnElement[float]:
    """`seeded_random` of a column, in SQL."""
    number: ColumnElement[float] = getattr(func, _RANDOM)(seed, key, type_=Float)
    return number


def varints(data: bytes) -> list[int]:
    """The integers of a blob of the full-text index: seven bits a byte, the high bit where more follow."""
    found, value = list[int](), 0
    for byte in data:
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            found.append(value)
            value = 0
    return found


def varint(column: ColumnElement[Any]) -> ColumnElement[int]:
    """The first integer of a blob of the full-text index, in SQL."""
    number: ColumnElement[int] = getattr(func, _VARINT)(column, type_=Integer)
    return number


def json_path(*names: str) -> str:
    """The path of nested keys in SQLite's JSON functions, e.g. `$."entities"."value"`."""
    return "$" + "".join(f'."{name}"' for name in names)


def without_index(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Keep SQLite from using an index on the column.

    Without statistics it takes the index of the status, which half of all responses share, for every single record:
    20 s a search at 10,000 records. See "unary +" in https://www.sqlite.org/optoverview.html.
    """
    return UnaryExpression(column, operator=custom_op("+"), type_=column.type)
