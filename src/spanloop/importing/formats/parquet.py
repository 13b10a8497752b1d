"""Parquet files."""

from collections.abc import Iterator
from pathlib import Path

from spanloop.errors import DataError
from spanloop.importing.readers import Reader, Row, Source, Table

_BATCH = 500  # rows in memory at once


def open_parquet(source: Source) -> Table:
    """A Parquet file.

    Raises:
        DataError: It is not Parquet, or damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = source.path

    def rows() -> Iterator[Row]:
        number = 0
        try:
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(_BATCH):
                    for values in batch.to_pylist():
                        number += 1
                        yield Row(f"{path}, record {number}", values)
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise _damaged(path, f"after record {number}: {error}") from None

    try:
        columns = pq.read_schema(path).names
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, str(error)) from None
    return Table(str(path), rows, tuple(columns))


def _damaged(path: Path, reason: str) -> DataError:
    return DataError(f"{path} cannot be read as Parquet ({' '.join(reason.split())[:200]}); write it again")


READERS = (Reader("parquet", open_parquet, (".parquet", ".pq")),)
