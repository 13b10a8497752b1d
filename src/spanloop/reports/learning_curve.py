"""The learning curve as a picture: F1 with its interval, and acceptance, over annotated records."""

from collections.abc import Sequence

from spanloop.reports.chart import Line, Mark, chart
from spanloop.reports.history import Entry
from spanloop.rounds.figures import CurvePoint


def learning_curve(entries: Sequence[Entry], forecast: Sequence[CurvePoint] = (), title: str = "Learning curve") -> str:
    """Draw the rounds.

    Args:
        entries: The rounds in order; those without a figure are left out of its line.
        forecast: What the last round expects of more labels, if anything.
        title: Heading of the picture.

    Returns:
        An SVG document.
    """
    f1 = [Mark(e.annotated, e.f1, _f1_hint(e), e.low, e.high) for e in entries if e.f1 is not None]
    accepted = [Mark(e.annotated, e.accepted, _accepted_hint(e)) for e in entries if e.accepted is not None]
    lines = [Line("F1 on test split, 95 %", f1), Line("suggestion acceptance, F1", accepted)]
    if forecast:
        expected = [Mark(p.annotated, p.f1, _forecast_hint(p), p.low, p.high) for p in forecast]
        lines.append(Line("forecast, 80 %", expected))
    return chart(lines, title=title, x_label="annotated records")


def _f1_hint(e: Entry) -> str:
    interval = f" ({100 * e.low:.1f} to {100 * e.high:.1f})" if e.low is not None and e.high is not None else ""
    return f"{e.round}: F1 {100 * (e.f1 or 0):.1f}{interval} at {e.annotated} records, {e.n_test} test records"


def _forecast_hint(p: CurvePoint) -> str:
    interval = f"{100 * p.low:.1f} to {100 * p.high:.1f}"
    return f"F1 of a model expected at {p.annotated:,} records: {100 * p.f1:.1f} ({interval})"


def _accepted_hint(e: Entry) -> str:
    return f"{e.round}: acceptance F1 {100 * (e.accepted or 0):.1f}, {e.kept} of {e.suggested} suggested spans kept"
