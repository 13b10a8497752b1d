"""`spanloop review`: the submitted records whose labels are most likely to be wrong, in the terminal and in Argilla."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spanloop.cli.door import open_argilla
from spanloop.cli.terminal import plain_console
from spanloop.settings import load_config

if TYPE_CHECKING:
    from rich.console import Console

    from spanloop.evaluation.label_errors import Mistake
    from spanloop.records import Span
    from spanloop.rounds.label_review import LabelReview

_PLACES = 3  # mistakes of a record that are shown, and only those that are not far less likely than the first
_AROUND = 30  # characters on either side of one


def review(
    config: Annotated[Path | None, typer.Option(help="Configuration; default: spanloop.yaml.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="Records to name; 0 clears what earlier reviews wrote.")] = 30,
) -> None:
    """Name the submitted records whose labels are most likely to be wrong; no answer of anybody is changed.

    Models that did not learn from a record judge it, so it takes a round with `training.folds` of 2 or more. What is
    corrected is suspicious no longer; what is right as it is, too, once it was saved as a draft and submitted again.
    """
    from spanloop.argilla.dataset import find_dataset
    from spanloop.argilla.links import review_link
    from spanloop.argilla.properties import prepare_dataset
    from spanloop.argilla.shape import SUSPICION
    from spanloop.argilla.suspicions import write_suspicions
    from spanloop.argilla.users import user_names
    from spanloop.rounds.holding import refuse_if_taken
    from spanloop.rounds.label_review import review_labels
    from spanloop.store import Store

    settings = load_config(config)
    store = Store(settings.store)
    with open_argilla(settings) as client:
        dataset = find_dataset(client, settings)
        found = review_labels(client, dataset, store, settings.annotations, limit)
        refuse_if_taken(store, client, dataset)
        prepare_dataset(client, dataset, settings.task, {SUSPICION})
        written = write_suspicions(client, dataset, {a.record_id: suspect.suspicion for a, suspect in found.worst})
        names = user_names(client) if found.worst else {}
        link = review_link(client.url, dataset.id)
    if found.worst:
        _table(plain_console(), found)
    if limit:
        _tell(found)
    typer.echo(f"suspicion in Argilla: {', '.join(f'{n:,} {what}' for what, n in asdict(written).items())}")
    if found.worst:
        who = ", ".join(f"{names.get(user, user[:8])} {count}" for user, count in found.annotators.most_common())
        typer.echo(f"look again at {link}\neverybody sees there what they submitted themselves ({who})")


def _table(console: "Console", found: "LabelReview") -> None:
    from rich.table import Table

    table = Table("record", "suspicion", "likely mistake", "annotated", "model", title_justify="left")
    table.title = f"Most suspicious of {found.judged:,} submitted records, by the training of {found.model}"
    for annotation, suspect in found.worst:
        likely = [m for m in suspect.mistakes if 3 * m.suspicion >= suspect.mistakes[0].suspicion]
        for i, mistake in enumerate(likely[:_PLACES]):
            first = (annotation.record_id, f"{100 * suspect.suspicion:.0f} %") if i == 0 else ("", "")
            table.add_row(*first, mistake.kind, *_sides(annotation.text, mistake))
        table.add_section()
    console.print(table)


def _sides(text: str, mistake: "Mistake") -> tuple[str, str]:
    """What annotators marked and what the model finds; where both stand in the same place, the text only once."""
    found = mistake.found
    model = f"{found.label} {100 * found.score:.0f} %" if found else "nothing"
    if mistake.marked is None:
        return "nothing", f"{_excerpt(text, found.span)}: {model}" if found else model
    marked = f"{_excerpt(text, mistake.marked)}: {mistake.marked.label}"
    same = found is None or (found.start, found.end) == (mistake.marked.start, mistake.marked.end)
    return marked, model if found is None or same else f"{_excerpt(text, found.span)}: {model}"


def _excerpt(text: str, span: "Span") -> str:
    """The span in brackets, on one line with the text around it."""
    before, after = max(0, span.start - _AROUND), span.end + _AROUND
    parts = text[before : span.start], f"[{text[span.start : span.end]}]", text[span.end : after]
    line = " ".join("".join(parts).split())
    return f"{'…' if before else ''}{line}{'…' if after < len(text) else ''}"


def _tell(found: "LabelReview") -> None:
    """What was judged and what was not."""
    if not found.worst:
        typer.echo(f"none of {found.judged:,} submitted records is suspicious, by the training of {found.model}")
    others = {"were submitted again since and are judged by the next model": found.answered}
    others["are held out for the test or newer than that model"] = found.unjudged
    for what, count in others.items():
        if count:
            typer.echo(f"{count:,} {what}")
