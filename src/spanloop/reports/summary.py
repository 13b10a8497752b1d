"""A round in words and tables: for the Prefect UI and for the terminal."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from spanloop.evaluation import Evaluation, LabelScores
from spanloop.reports.advice import outlook_rows
from spanloop.rounds.figures import AnnotationFigures, EvaluateFigures, Sections, SnapshotFigures
from spanloop.rounds.relabelling import in_words
from spanloop.rounds.report import RoundReport

Rows = list[tuple[str, str]]
_MOST_NAMED = 5
_SHOWN = 0.0005  # the least correction of F1 that a decimal of its percentage shows


def summary_rows(report: RoundReport) -> Rows:
    """The round as pairs of name and value in reading order, what it lacks left out."""
    figures = report.figures
    if figures is None:
        return [("outcome", report.reason), ("in service", report.champion or "no model yet")]
    pulled = figures.pull
    return [
        ("outcome", f"{report.outcome}: {report.reason}"),
        ("records", f"{pulled.records} ({pulled.submitted} submitted, {pulled.pending} pending)"),
        *([("kept groups", _each(pulled.regrouped, "its metadata says another group"))] if pulled.regrouped else []),
        *([("kept splits", _each(pulled.resplit, "the settings say another split"))] if pulled.resplit else []),
        *([("mapped answers", in_words(pulled.relabelled))] if pulled.relabelled else []),
        ("snapshot", _snapshot(figures.snapshot)),
        *([("hub", figures.snapshot.hub)] if figures.snapshot.hub else []),
        *([("lost spans", _lost(figures.annotations))] if figures.annotations.lost else []),
        *([("set aside", _aside(figures.annotations))] if figures.annotations.aside else []),
        *_models(figures),
        *([("mapped champion", in_words(figures.evaluate.relabelled))] if figures.evaluate.relabelled else []),
        ("in service", _in_service(report, figures)),
        ("suggestions", _written(figures)),
        *([("mapped spans", in_words(figures.score.relabelled))] if figures.score.relabelled else []),
        *_acceptance(report),
        *outlook_rows(report),
        ("seconds", ", ".join(f"{name} {seconds:.1f}" for name, seconds in figures.seconds.items())),
    ]


def _each(ids: Sequence[str], reason: str) -> str:
    return f"{len(ids)}: " + _named([(record_id, reason) for record_id in ids])


def _snapshot(snapshot: SnapshotFigures) -> str:
    if snapshot.version is None:
        return "none, nothing is annotated yet"
    return f"{snapshot.version} (" + ", ".join(f"{split} {n}" for split, n in snapshot.counts.items()) + ")"


def _lost(annotations: AnnotationFigures) -> str:
    return f"{len(annotations.lost)} in {_named([(x.record_id, x.reason) for x in annotations.lost])}"


def _aside(annotations: AnnotationFigures) -> str:
    return _named([(x.record_id, x.reason) for x in annotations.aside])


def _named(found: Sequence[tuple[str, str]]) -> str:
    """The first few records with what is to say of them."""
    more = f" and {len(found) - _MOST_NAMED} more, see round.json" if len(found) > _MOST_NAMED else ""
    return ", ".join(f"{record_id} ({reason})" for record_id, reason in found[:_MOST_NAMED]) + more


def _models(figures: Sections) -> Rows:
    trained, evaluated = figures.train, figures.evaluate
    found = [
        ("champion before", trained.champion, evaluated.champion),
        ("challenger", trained.challenger, evaluated.challenger),
    ]
    return [(role, f"{version}: {scores.headline()}") for role, version, scores in found if version and scores]


def _in_service(report: RoundReport, figures: Sections) -> str:
    optimism, scores = figures.gate.optimism, report.scores
    if scores is None or optimism < _SHOWN:
        return report.champion or "no model yet"
    return f"{report.champion}: F1 {100 * (scores.f1 - optimism):.1f} without the luck of its choice on these records"


def _written(figures: Sections) -> str:
    counts = [f"{name} {count}" for name, count in asdict(figures.log.written).items() if count]
    blind = [f"{figures.score.blind} left blind"] if figures.score.blind else []
    return ", ".join([f"{figures.score.scored} records scored", *blind, *counts])


def _acceptance(report: RoundReport) -> Rows:
    accepted = report.accepted
    if accepted is None:
        return []
    kept = f"{accepted.n_kept} of {accepted.n_suggested} suggested spans kept"
    return [("acceptance", f"{kept}, F1 {100 * accepted.f1:.1f} over {accepted.n_records} records since")]


def summary_markdown(report: RoundReport) -> str:
    """The summary of a round for the Prefect UI, in markdown, with the link to the queue."""
    title = f"# {report.round or 'No round yet'}: {report.outcome}"
    outlook = outlook_rows(report)  # not in the table, whose cells the page cuts off
    rows = [row for row in summary_rows(report) if row not in outlook]
    table = ["| | |", "|---|---|", *(f"| {name} | {_cell(value)} |" for name, value in rows)]
    link = [f"[Annotate: the queue, most informative first]({report.queue_link})"] if report.queue_link else []
    scores = _scores(report.figures) if report.figures else []
    return "\n\n".join([title, *_outlook(outlook), "\n".join(table), *link, *scores])


def _outlook(rows: Rows) -> list[str]:
    """The sentence on its own, and the figures behind it as a list."""
    return (
        ["\n\n".join([f"**{rows[0][1]}**", "\n".join(f"- {name}: {value}" for name, value in rows[1:])])]
        if rows
        else []
    )


def _scores(figures: Sections) -> list[str]:
    found = [("Champion before", figures.evaluate.champion), ("Challenger", figures.evaluate.challenger)]
    return [f"## {title}\n\n{scores.markdown()}" for title, scores in found if scores]


def _cell(value: str) -> str:
    return value.replace("|", "\\|")


def score_rows(evaluated: EvaluateFigures) -> list[dict[str, Any]]:
    """Per-label scores of champion and challenger as rows of a table, the overall row of each last.

    Returns:
        One row a label and model; figures in percent.
    """
    found = [("champion", evaluated.champion), ("challenger", evaluated.challenger)]
    return [row for role, scores in found if scores for row in _rows(role, scores)]


def _rows(role: str, scores: Evaluation) -> list[dict[str, Any]]:
    overall = LabelScores(precision=scores.precision, recall=scores.recall, f1=scores.f1, support=scores.n_spans)
    return [
        {
            "model": role,
            "label": label,
            "precision": round(100 * row["precision"], 1),
            "recall": round(100 * row["recall"], 1),
            "f1": round(100 * row["f1"], 1),
            "spans": row["support"],
        }
        for label, row in [*scores.per_label.items(), ("all", overall)]
    ]
