"""A round in words and tables: for the Prefect UI and for the terminal."""

from collections.abc import Mapping
from typing import Any

from spanloop.reports.report import RoundReport

Rows = list[tuple[str, str]]
_NAMED = 5


def summary_rows(report: RoundReport) -> Rows:
    """The round as pairs of name and value, what it lacks left out.

    Args:
        report: The round's report.

    Returns:
        Rows in reading order.
    """
    if report.outcome == "nothing new":
        return [("outcome", report.reason), ("in service", report.champion or "no model yet")]
    return [
        ("outcome", f"{report.outcome}: {report.reason}"),
        ("records", f"{report.records} ({report.submitted} submitted, {report.pending} pending)"),
        ("snapshot", _snapshot(report)),
        *([("hub", report.hub)] if report.hub else []),
        *([("lost spans", _lost(report))] if report.lost else []),
        *_models(report),
        ("suggestions", _written(report)),
        *_acceptance(report),
        ("seconds", ", ".join(f"{name} {seconds:.1f}" for name, seconds in report.seconds.items())),
    ]


def _snapshot(report: RoundReport) -> str:
    if report.snapshot is None:
        return "none, nothing is annotated yet"
    return f"{report.snapshot} (" + ", ".join(f"{split} {n}" for split, n in report.counts.items()) + ")"


def _lost(report: RoundReport) -> str:
    named = ", ".join(f"{lost['record_id']} ({lost['reason']})" for lost in report.lost[:_NAMED])
    more = f" and {len(report.lost) - _NAMED} more, see round.json" if len(report.lost) > _NAMED else ""
    return f"{len(report.lost)} in {named}{more}"


def _models(report: RoundReport) -> Rows:
    rows = []
    if report.inputs and report.inputs.champion and report.champion_scores:
        rows.append(("champion before", _model(report.inputs.champion, report.champion_scores)))
    if report.challenger and report.challenger_scores:
        rows.append(("challenger", _model(report.challenger, report.challenger_scores)))
    return [*rows, ("in service", report.champion or "no model yet")]


def _model(version: str, scores: Mapping[str, Any]) -> str:
    from spanloop.evaluation.result import Evaluation

    return f"{version}: {Evaluation.from_dict(scores).headline()}"


def _written(report: RoundReport) -> str:
    counts = [f"{name} {count}" for name, count in report.written.items() if isinstance(count, int) and count]
    return ", ".join([f"{report.scored} records scored", *counts])


def _acceptance(report: RoundReport) -> Rows:
    accepted = report.accepted
    if accepted is None:
        return []
    kept = f"{accepted['n_kept']} of {accepted['n_suggested']} suggested spans kept"
    return [("acceptance", f"{kept}, F1 {100 * accepted['f1']:.1f} over {accepted['n_records']} records since")]


def summary_markdown(report: RoundReport) -> str:
    """The summary of a round for the Prefect UI, with the link to the queue.

    Args:
        report: The round's report.

    Returns:
        Markdown.
    """
    title = f"# {report.round or 'No round yet'}: {report.outcome}"
    table = ["| | |", "|---|---|", *(f"| {name} | {_cell(value)} |" for name, value in summary_rows(report))]
    link = [f"[Annotate: the queue, most informative first]({report.queue_link})"] if report.queue_link else []
    from spanloop.evaluation.result import Evaluation

    scores = [f"## {title}\n\n{Evaluation.from_dict(found).markdown()}" for title, found in _evaluations(report)]
    return "\n\n".join([title, "\n".join(table), *link, *scores])


def _evaluations(report: RoundReport) -> list[tuple[str, Mapping[str, Any]]]:
    found = [("Champion before", report.champion_scores), ("Challenger", report.challenger_scores)]
    return [(title, scores) for title, scores in found if scores]


def _cell(value: str) -> str:
    return value.replace("|", "\\|")


def score_rows(evaluations: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Per-label scores of champion and challenger as rows of a table, the overall row last.

    Args:
        evaluations: `champion` and `challenger` to an evaluation as a plain tree.

    Returns:
        One row a label and model; figures in percent.
    """
    return [row for role in ("champion", "challenger") if role in evaluations for row in _rows(role, evaluations[role])]


def _rows(role: str, scores: Mapping[str, Any]) -> list[dict[str, Any]]:
    overall = {**{name: scores[name] for name in ("precision", "recall", "f1")}, "support": scores["n_spans"]}
    return [
        {
            "model": role,
            "label": label,
            **{name: round(100 * row[name], 1) for name in ("precision", "recall", "f1")},
            "spans": row["support"],
        }
        for label, row in [*scores["per_label"].items(), ("all", overall)]
    ]
