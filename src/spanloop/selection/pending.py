"""Records that wait for an annotator, and their statistics as columns."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from spanloop.errors import DataError
from spanloop.records import Statistics

FloatArray = npt.NDArray[np.float64]

_NAN = float("nan")
_UNSCORED: Any = SimpleNamespace(
    n_words=_NAN, least_confidence=_NAN, margin=_NAN, token_entropy=_NAN, mnlp=_NAN, bald=None
)


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
class Columns:
    """The statistics of n records, one array of shape (n,) each; NaN where a record has none.

    Attributes:
        n_words: See `Statistics`, as are the others.
        least_confidence: Higher is more informative, as in the others.
        margin: In [-1, 0].
        token_entropy: In nats.
        mnlp: In nats.
        bald: In nats.
    """

    n_words: FloatArray
    least_confidence: FloatArray
    margin: FloatArray
    token_entropy: FloatArray
    mnlp: FloatArray
    bald: FloatArray


def columns(pending: Sequence[Pending]) -> Columns:
    """Turn the records' statistics into arrays, in the order of the records."""
    rows = [record.statistics or _UNSCORED for record in pending]
    names = [field.name for field in fields(Columns)]
    return Columns(**{name: np.array(list(map(attrgetter(name), rows)), dtype=np.float64) for name in names})


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
