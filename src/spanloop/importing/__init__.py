"""Readers of text to annotate; `formats/` holds one module a format."""

from spanloop.importing.formats import READERS
from spanloop.importing.readers import Reader, Row, Source, Table
from spanloop.importing.remarks import Remarks
from spanloop.importing.rows import AnnotationsAs, Imported, parse_records
from spanloop.importing.sources import open_source

__all__ = [
    "READERS",
    "AnnotationsAs",
    "Imported",
    "Reader",
    "Remarks",
    "Row",
    "Source",
    "Table",
    "open_source",
    "parse_records",
]
