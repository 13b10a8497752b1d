"""`spanloop simulate`: simulated annotators, for demonstrations and benchmarks."""

from pathlib import Path
from typing import Annotated

import typer

from spanloop.cli.door import open_argilla
from spanloop.cli.imports import (
    DelimiterOption,
    EncodingOption,
    FormatOption,
    SpansOption,
    TextOption,
    named_columns,
    tell_notes,
)
from spanloop.cli.terminal import bar
from spanloop.settings import load_config

AnchoringOption = Annotated[
    float,
    typer.Option(min=0, max=1, help="Chance to keep a wrong suggestion, and to overlook a span that has none."),
]


def simulate(
    gold: Annotated[str, typer.Option(metavar="FILE", help="Held-back file with the right spans, as for import.")],
    *,
    count: Annotated[int, typer.Option(min=1, help="Records that each annotator submits.")] = 50,
    annotators: Annotated[int, typer.Option(min=1, max=50, help="How many simulated annotators.")] = 1,
    error_rate: Annotated[float, typer.Option(min=0, max=1, help="Share of the spans answered wrongly.")] = 0.0,
    anchoring: AnchoringOption = 0.0,
    seed: Annotated[int, typer.Option(help="Seed of the mistakes.")] = 0,
    text: TextOption = "",
    id_columns: Annotated[str, typer.Option("--id", help="Column that identifies a record; several: a,b.")] = "",
    group: Annotated[str, typer.Option(help="Column with the document a record belongs to.")] = "",
    spans: SpansOption = "",
    kind: FormatOption = "",
    encoding: EncodingOption = "",
    delimiter: DelimiterOption = "",
    split: Annotated[str, typer.Option(help="Split to read of a Hub dataset.")] = "train",
    subset: Annotated[str, typer.Option(help="Configuration to read of a Hub dataset.")] = "",
    config: Annotated[Path | None, typer.Option(help="Configuration; default: spanloop.yaml.")] = None,
) -> None:
    """Let SIMULATED annotators work through the queue: they submit the spans of a held-back file.

    For demonstrations, tests and benchmarks. What they submit is theirs by name: simulated-annotator-1, ….
    """
    from spanloop.argilla.dataset import find_dataset
    from spanloop.importing import open_source, parse_records
    from spanloop.rehearsal.annotator import PREFIX, SimulatedAnnotator, simulated_annotators
    from spanloop.rehearsal.mistakes import Habits

    loop = load_config(config)
    loop.columns = named_columns(loop.columns, text=text, id_columns=id_columns, group=group, spans=spans)
    table = open_source(
        gold, kind, split=split, subset=subset, encoding=encoding, delimiter=delimiter, columns=loop.columns
    )
    tell_notes(table)
    known = {r.id: r.spans for r in parse_records(table, loop, annotated=True) if r.spans is not None}
    with open_argilla(loop) as owner:
        dataset = find_dataset(owner, loop)
        for number, client in enumerate(simulated_annotators(owner, dataset, annotators), start=1):
            with client, bar(f"{PREFIX}{number}", count) as advance:
                worker = SimulatedAnnotator(client, dataset, known, Habits(error_rate, anchoring, seed))
                done = worker.annotate(count, advance)
            left = f", left {done.without_gold:,} that {gold} lacks" if done.without_gold else ""
            typer.echo(f"{PREFIX}{number} (simulated) submitted {done.submitted:,} records of {dataset.name!r}{left}")
