"""Similarity search: exact cosine over the vectors of the records that match."""

import json
from uuid import UUID

import numpy as np
from argilla_server.models import Record, Vector
from sqlalchemy import ColumnElement, String, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from .ordering import by_age


async def nearest(
    connection: AsyncConnection,
    where: list[ColumnElement[bool]],
    vector_settings_id: UUID,
    vector: list[float],
    most: int,
) -> list[tuple[UUID, float]]:
    """Find the records whose vectors point the same way.

    Args:
        connection: To the database.
        where: Conditions on `Record`.
        vector_settings_id: Which of the record's vectors.
        vector: What to compare with.
        most: The greatest number of records.

    Returns:
        Record ids with (1 + cosine) / 2, as Elasticsearch scores them, the best first; equals by age.
    """
    rows = await connection.execute(
        select(Record.id, type_coerce(Vector.value, String))
        .join(Vector, Vector.record_id == Record.id)
        .where(Vector.vector_settings_id == vector_settings_id, *where)
        .order_by(*by_age())
    )
    found = rows.all()
    if not found:
        return []
    matrix = np.array([json.loads(text) for _, text in found], dtype=np.float32)
    scores = (1 + cosine(matrix, np.array(vector, dtype=np.float32))) / 2
    best = np.argsort(-scores, kind="stable")[:most]
    return [(found[i][0], float(scores[i])) for i in best]


def cosine(matrix: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """Cosine of each row with a vector, in [-1, 1]; 0 where either has no direction.

    Args:
        matrix: (n, d)
        vector: (d,)

    Returns:
        (n,)
    """
    norms = np.linalg.norm(matrix, axis=1) * np.linalg.norm(vector)
    cosines: np.ndarray = np.divide(matrix @ vector, norms, out=np.zeros_like(norms), where=norms > 0)
    return cosines.clip(-1.0, 1.0)
