"""Readers of text to annotate: CSV, TSV, JSON lines, Parquet, CoNLL, datasets of the Hub."""

from spanloop.reading.records import AnnotationsAs, Imported, read_records
from spanloop.reading.sources import FORMATS, Format, open_source
from spanloop.reading.tables import Row, Table

__all__ = ["FORMATS", "AnnotationsAs", "Format", "Imported", "Row", "Table", "open_source", "read_records"]
