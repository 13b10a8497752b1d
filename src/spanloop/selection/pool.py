"""The pool: the records that wait for an annotator, and what the scoring pass says about them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spanloop.errors import DataError
from spanloop.records import Statistics

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pending:
    """One record that nobody has submitted.

    Attributes:
        id: The record's id.
        group: The document it came from; it decides the split.
        text: The record's text.
        statistics: What the scoring pass says about it; None for a record that was not scored.
        embedding: The text as a vector, shape (dimensions,), where the diversity step is to be used.
    """

    id: str
    group: str
    text: str
    statistics: Statistics | None = None
    embedding: npt.NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class Pool:
    """The n records that a query strategy judges.

    Attributes:
        records: The records; their order says nothing.
    """

    records: Sequence[Pending]

    def __len__(self) -> int:
        return len(self.records)

    def statistic(self, name: str) -> FloatArray:
        """One statistic of every record.

        Args:
            name: A field of `spanloop.records.Statistics`.

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


def shuffled(pending: Sequence[Pending], seed: int) -> list[Pending]:
    """Put records in a random order that depends on nothing but the seed and each record's id.

    Args:
        pending: Records, in any order.
        seed: Another seed gives another order.

    Returns:
        The records; any two keep their order whatever other records there are.

    Raises:
        DataError: An id stands twice.
    """
    ids = {record.id for record in pending}
    if len(ids) < len(pending):
        raise DataError(f"record {_first_twice(pending)!r} is pending twice; ids must be unique")
    digests = b"".join(
        hashlib.blake2b(f"{seed}\0{record.id}".encode("utf-8", "surrogatepass"), digest_size=16).digest()
        for record in pending
    )
    high, low = np.frombuffer(digests, dtype=">u8").reshape(-1, 2).T
    return [pending[i] for i in np.lexsort((low, high))]


def _first_twice(pending: Sequence[Pending]) -> str:
    seen: set[str] = set()
    return next(r.id for r in pending if r.id in seen or seen.add(r.id))  # type: ignore[func-returns-value]
