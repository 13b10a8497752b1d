"""`spanloop agreement`: how well annotators agree, and the records on which they differ most."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spanloop.cli.door import open_argilla
from spanloop.cli.terminal import plain_console
from spanloop.settings import load_config

if TYPE_CHECKING:
    from rich.console import Console

    from spanloop.annotations.agreement import AgreementReport, Dispute


def agreement(
    config: Annotated[Path | None, typer.Option(help="Configuration; default: spanloop.yaml.")] = None,
    most: Annotated[int, typer.Option(min=0, help="Disputed records to show, worst first.")] = 10,
) -> None:
    """Show how well annotators agree, and what they marked differently in the records they dispute most."""
    from spanloop.annotations import agreement as measured
    from spanloop.argilla.dataset import find_dataset
    from spanloop.argilla.pull import pull_submitted
    from spanloop.argilla.users import user_names

    settings = load_config(config)
    with open_argilla(settings) as client:
        records = list(pull_submitted(client, find_dataset(client, settings)))
        names = user_names(client)
    report = measured.agreement(records, most_disputed=most)
    if not report.records:
        typer.echo("no record was submitted by two annotators yet; raise task.min_submitted for some overlap")
        return
    console = plain_console()
    _figures(console, report)
    _disputes(console, measured.disputes(records, report), names)


def _figures(console: "Console", report: "AgreementReport") -> None:
    f1 = "-" if report.pairwise_f1 is None else f"{100 * report.pairwise_f1:.1f}"
    console.print(f"{report.records} records by two or more of {report.annotators} annotators, pairwise F1 {f1}")
    for label, alpha in report.alpha.items():
        shown = "undefined" if alpha is None else f"{alpha:.2f}"
        console.print(f"  {label}: Krippendorff's alpha {shown}")


def _disputes(console: "Console", found: list["Dispute"], names: dict[str, str]) -> None:
    from rich.table import Table

    from spanloop.annotations.agreement import quote

    if not found:
        return
    table = Table("record", "F1", "marked by some", "by", title="Most disputed", title_justify="left")
    for dispute in found:
        for i, (span, users) in enumerate(dispute.marked):
            who = ", ".join(names.get(user, user[:8]) for user in users)
            first = (dispute.record_id, f"{100 * dispute.f1:.0f}") if i == 0 else ("", "")
            marked = f"{quote(dispute.text, span)!r} {span.label} ({span.start}-{span.end})"
            table.add_row(*first, marked, f"{who} of {len(dispute.users)}")
        table.add_section()
    console.print(table)
