"""The learning curve as a picture: F1 with its interval, and acceptance, over annotated records."""

from collections.abc import Sequence

from spanloop.reports.chart import Line, Mark, chart
from spanloop.reports.history import Entry


def learning_curve(entries: Sequence[Entry], title: str = "Learning curve") -> str:
    """Draw the rounds.

    Args:
        entries: The rounds in order; those without a figure are left out of its line.
        title: Heading of the picture.

    Returns:
        An SVG document.
    """
    f1 = [Mark(e.annotated, e.f1, _f1_hint(e), e.low, e.high) for e in entries if e.f1 is not None]
    accepted = [Mark(e.annotated, e.accepted, _accepted_hint(e)) for e in entries if e.accepted is not None]
    lines = [Line("F1 on the test split, 95 % interval", f1), Line("suggestion acceptance, F1", accepted)]
    return chart(lines, title=title, x_label="annotated records")


def _f1_hint(e: Entry) -> str:
    interval = f" ({100 * e.low:.1f} to {100 * e.high:.1f})" if e.low is not None and e.high is not None else ""
    return f"{e.round}: F1 {100 * (e.f1 or 0):.1f}{interval} at {e.annotated} records, {e.n_test} test records"


def _accepted_hint(e: Entry) -> str:
    return f"{e.round}: acceptance F1 {100 * (e.accepted or 0):.1f}, {e.kept} of {e.suggested} suggested spans kept"
