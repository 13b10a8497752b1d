"""Readers of text to annotate: CSV, TSV, JSON lines, Parquet, CoNLL, datasets of the Hub."""

from spanloop.importing.rows import AnnotationsAs, Imported, read_records
from spanloop.importing.sources import FORMATS, Format, open_source
from spanloop.importing.tables import Row, Table

__all__ = ["FORMATS", "AnnotationsAs", "Format", "Imported", "Row", "Table", "open_source", "read_records"]
