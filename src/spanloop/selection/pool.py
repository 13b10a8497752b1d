"""The pool: the records that wait for an annotator, what the scoring pass says about them, and what is annotated."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from spanloop.errors import DataError
from spanloop.records import Span, Statistics

FloatArray = npt.NDArray[np.float64]
Embedding = npt.NDArray[np.float32 | np.float16]


class Identified(Protocol):
    """Whatever has an id."""

    @property
    def id(self) -> str:
        """The record's id."""


Some = TypeVar("Some", bound=Identified)


@dataclass(frozen=True, slots=True)
class Pending:
    """One record that nobody has submitted.

    Attributes:
        id: The record's id.
        group: The document it came from; it decides the split.
        text: The record's text.
        statistics: What the scoring pass says about it; None for a record that was not scored.
        embedding: The text as a vector, shape (dimensions,), where strategy or steps look at it (`wants_embeddings`).
    """

    id: str
    group: str
    text: str
    statistics: Statistics | None = None
    embedding: Embedding | None = None


@dataclass(frozen=True, slots=True)
class Annotated:
    """One record with its agreed annotation: what need not be asked again.

    Attributes:
        id: The record's id.
        group: The document it came from.
        text: The record's text.
        spans: The agreed spans.
        embedding: As of `Pending`, from the same encoder.
    """

    id: str
    group: str
    text: str
    spans: tuple[Span, ...] = ()
    embedding: Embedding | None = None


@dataclass(frozen=True, slots=True)
class Pool:
    """The n records that a query strategy judges.

    Attributes:
        records: The records; their order says nothing.
        annotated: What a model learns from: the annotated records of the training split.
    """

    records: Sequence[Pending]
    annotated: Sequence[Annotated] = ()

    def __len__(self) -> int:
        return len(self.records)

    def statistic(self, name: str) -> FloatArray:
        """One statistic of every record.

        Args:
            name: A field of `spanloop.records.Statistics` that is a number.

        Returns:
            Shape (n,); NaN where a record was not scored, or its scoring pass did not make this statistic.
        """
        rows = (record.statistics for record in self.records)
        return np.array([None if row is None else getattr(row, name) for row in rows], dtype=np.float64)


def ranks(values: FloatArray) -> FloatArray:
    """Replace values by their rank over their number, in (0, 1]: measures of any scale become comparable.

    Equal values share the mean of their ranks.
    """
    if not len(values):
        return values
    _, place, times = np.unique(values, return_inverse=True, return_counts=True)
    mean: FloatArray = (np.cumsum(times) - (times - 1) / 2) / len(values)
    return mean[place]


def shuffled(records: Sequence[Some], seed: int) -> list[Some]:
    """Put records in a random order that depends on nothing but the seed and each record's id.

    Args:
        records: Records, in any order.
        seed: Another seed gives another order.

    Returns:
        The records; any two keep their order whatever other records there are.

    Raises:
        DataError: An id stands twice.
    """
    ids = {record.id for record in records}
    if len(ids) < len(records):
        raise DataError(f"record {_first_twice(records)!r} is there twice; ids must be unique")
    digests = b"".join(
        hashlib.blake2b(f"{seed}\0{record.id}".encode("utf-8", "surrogatepass"), digest_size=16).digest()
        for record in records
    )
    high, low = np.frombuffer(digests, dtype=">u8").reshape(-1, 2).T
    return [records[i] for i in np.lexsort((low, high))]


def _first_twice(records: Sequence[Identified]) -> str:
    seen: set[str] = set()
    return next(r.id for r in records if r.id in seen or seen.add(r.id))  # type: ignore[func-returns-value]
