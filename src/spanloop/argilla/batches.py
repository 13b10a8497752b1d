"""Cut a stream into batches (`itertools.batched` came with Python 3.12)."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of `size` items, the last one shorter; the stream is read one batch at a time."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
