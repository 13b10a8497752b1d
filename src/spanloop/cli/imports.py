"""`spanloop import FILE`: text into Argilla."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spanloop.cli.door import open_argilla
from spanloop.cli.terminal import bar
from spanloop.config import ColumnsConfig
from spanloop.errors import DataError
from spanloop.importing import READERS, AnnotationsAs
from spanloop.settings import load_config

if TYPE_CHECKING:
    from spanloop.importing import Table
    from spanloop.importing.upload import Check, ImportReport

FormatOption = Annotated[
    str, typer.Option("--format", help=f"One of {', '.join(READERS)}; default: recognised, by the ending first.")
]

EncodingOption = Annotated[str, typer.Option(help="Encoding of the text, e.g. cp1252; default: found out, and told.")]
DelimiterOption = Annotated[str, typer.Option(help="What stands between the columns of a CSV file, e.g. ';'.")]
TextOption = Annotated[
    str, typer.Option(help="Column with the text, or with a list of tokens; in a CoNLL file its number, from 1.")
]
SpansOption = Annotated[
    str, typer.Option(help="Column with the annotation: spans, or one tag a token; in a CoNLL file its number.")
]

_SHOWN = 3


def import_file(
    source: Annotated[
        str, typer.Argument(metavar="FILE", help="A file, - for a pipe, a folder of a dataset, or a Hub id.")
    ],
    *,
    text: TextOption = "",
    id_columns: Annotated[str, typer.Option("--id", help="Column that identifies a record; several: a,b.")] = "",
    group: Annotated[str, typer.Option(help="Column with the document a record belongs to.")] = "",
    spans: SpansOption = "",
    annotations: Annotated[AnnotationsAs, typer.Option("--as", help="What the file's annotations become.")] = "nothing",
    kind: FormatOption = "",
    encoding: EncodingOption = "",
    delimiter: DelimiterOption = "",
    split: Annotated[str, typer.Option(help="Split to read of a Hub dataset.")] = "train",
    subset: Annotated[str, typer.Option(help="Configuration to read of a Hub dataset.")] = "",
    config: Annotated[Path | None, typer.Option(help="Configuration; default: spanloop.yaml.")] = None,
) -> None:
    """Check a file, then put its records into the Argilla dataset, which is created if missing.

    Safe to repeat: a record that is there by its id stays as it is.
    """
    from spanloop.argilla.dataset import ensure_dataset
    from spanloop.argilla.links import queue_link
    from spanloop.importing import open_source, parse_records
    from spanloop.importing.upload import check, import_records

    loop = load_config(config)
    loop.columns = named_columns(loop.columns, text=text, id_columns=id_columns, group=group, spans=spans)
    table = open_source(
        source, kind, split=split, subset=subset, encoding=encoding, delimiter=delimiter, columns=loop.columns
    )
    tell_notes(table)
    found = check(table, loop, annotations)
    with open_argilla(loop) as client:
        dataset = ensure_dataset(client, loop)
        with bar("importing", found.records) as advance:
            records = parse_records(table, loop, annotated=annotations != "nothing")
            report = import_records(client, dataset, records, loop, annotations=annotations, progress=advance)
        link = queue_link(client.url, dataset.id)
    _tell(source, found, report, dataset.name, annotations)
    typer.echo(f"annotate at {link}")


def named_columns(columns: ColumnsConfig, *, text: str, id_columns: str, group: str, spans: str) -> ColumnsConfig:
    """The columns of the configuration with those of the flags over them; an empty flag changes nothing."""
    ids = [name.strip() for name in id_columns.split(",") if name.strip()]
    named = {"text": text, "id": ids, "group": group, "spans": spans}
    return columns.model_copy(update={name: value for name, value in named.items() if value})


def tell_notes(table: "Table") -> None:
    """Say on stderr what the reader found out about the file."""
    for note in table.notes:
        typer.echo(f"spanloop: {note}", err=True)


def _tell(source: str, found: "Check", report: "ImportReport", dataset: str, annotations: AnnotationsAs) -> None:
    splits = ", ".join(f"{count:,} {split}" for split, count in found.splits.items())
    typer.echo(f"{report.created:,} records imported into {dataset!r}, {report.present:,} were there ({splits})")
    if report.created + report.present != found.records:
        raise DataError(
            f"{source} held {found.records:,} records before: it changed while it was read; import it again"
        )
    for line in found.remarks.lines():
        typer.echo(line)
    if annotations != "nothing":
        left = found.annotated - report.annotated - report.blind
        why = f"; {left:,} were answered or suggested already" if left else ""
        typer.echo(f"{report.annotated:,} annotations of the file imported as {annotations}{why}")
    if report.blind:
        typer.echo(
            f"{report.blind:,} more are of validation or test records, which people annotate blind; to show them, set "
            "task.blind_held_out to false and import again"
        )
    if report.differing:
        shown = ", ".join(report.differing[:_SHOWN]) + ", …" * (len(report.differing) > _SHOWN)
        typer.echo(
            f"{len(report.differing):,} of them have another text in Argilla and keep it ({shown}); "
            "give a changed text a new id"
        )
