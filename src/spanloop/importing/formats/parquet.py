"""Parquet files."""

from collections.abc import Iterator

from spanloop.errors import DataError
from spanloop.importing.class_labels import features_of, with_names
from spanloop.importing.readers import Reader, Row, Source, Table

_BATCH = 500  # rows in memory at once


def open_parquet(source: Source) -> Table:
    """A Parquet file; class labels that `datasets` wrote into its schema are read by their names.

    Raises:
        DataError: It is not Parquet, or damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path, name = source.path, source.name

    def rows() -> Iterator[Row]:
        number = 0
        try:
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(_BATCH):
                    for values in batch.to_pylist():
                        number += 1
                        named = {column: with_names(value, features.get(column)) for column, value in values.items()}
                        yield Row(f"{name}, record {number}", named)
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise _damaged(name, f"after record {number}: {error}") from None

    try:
        schema = pq.read_schema(path)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(name, str(error)) from None
    features = features_of(schema.metadata)
    return Table(name, rows, tuple(schema.names))


def _damaged(name: str, reason: str) -> DataError:
    return DataError(f"{name} cannot be read as Parquet ({' '.join(reason.split())[:200]}); write it again")


READERS = (Reader("parquet", open_parquet, (".parquet", ".pq")),)
