"""The learning curve as a picture: F1 with its interval, and acceptance, over annotated records.

A self-contained SVG written by hand: any browser and any report shows it, and nothing has to be installed for it.
"""

from collections.abc import Callable, Sequence
from html import escape
from math import floor, log10

from spanloop.reports.history import Entry
from spanloop.rounds.figures import CurvePoint

WIDTH, HEIGHT = 760, 440
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 24, 56, 60
_F1, _ACCEPTED, _FORECAST = "#0072b2", "#d55e00", "#009e73"  # told apart by colour-blind eyes too
_INK, _GRID = "#333333", "#dddddd"

Scale = Callable[[float], float]


def learning_curve(entries: Sequence[Entry], forecast: Sequence[CurvePoint] = (), title: str = "Learning curve") -> str:
    """Draw the rounds.

    Args:
        entries: The rounds in order; those without a figure are left out of its line.
        forecast: What the last round expects of more labels, if anything.
        title: Heading of the picture.

    Returns:
        An SVG document.
    """
    most = max([e.annotated for e in entries] + [p.annotated for p in forecast], default=0) or 1
    step = _step(most)
    right = step * -(-most // step)

    def x(annotated: float) -> float:
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * annotated / right

    def y(share: float) -> float:
        return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * share

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img" font-family="sans-serif" font-size="13" fill="{_INK}">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        _text(_LEFT, 24, title, size=16),
        *_axes(x, y, range(0, right + 1, step)),
        *_forecast(forecast, x, y),
        *_band(entries, x, y),
        *_line([(x(e.annotated), y(e.f1), _f1_hint(e)) for e in entries if e.f1 is not None], _F1),
        *_line(
            [(x(e.annotated), y(e.accepted), _accepted_hint(e)) for e in entries if e.accepted is not None],
            _ACCEPTED,
            dash="6 4",
        ),
        *_legend(bool(forecast)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _axes(x: Scale, y: Scale, ticks: range) -> list[str]:
    parts = []
    for percent in range(0, 101, 20):
        at = y(percent / 100)
        parts.append(f'<path d="M{_LEFT} {at:.1f}H{WIDTH - _RIGHT}" stroke="{_GRID}"/>')
        parts.append(_text(_LEFT - 8, at + 4, str(percent), anchor="end"))
    parts += [_text(x(tick), HEIGHT - _BOTTOM + 20, f"{tick:,}", anchor="middle") for tick in ticks]
    parts.append(f'<path d="M{_LEFT} {_TOP}V{HEIGHT - _BOTTOM}H{WIDTH - _RIGHT}" fill="none" stroke="{_INK}"/>')
    parts.append(_text((_LEFT + WIDTH - _RIGHT) / 2, HEIGHT - 16, "annotated records", anchor="middle"))
    parts.append(_text(_LEFT - 8, _TOP - 12, "%", anchor="end"))
    return parts


def _band(entries: Sequence[Entry], x: Scale, y: Scale) -> list[str]:
    """The 95 % interval of F1 as an area; a bar where there is only one round."""
    known = [(x(e.annotated), y(e.low), y(e.high)) for e in entries if e.low is not None and e.high is not None]
    if not known:
        return []
    if len(known) == 1:
        at, low, high = known[0]
        return [f'<path d="M{at:.1f} {low:.1f}V{high:.1f}" stroke="{_F1}" stroke-width="6" opacity="0.25"/>']
    outline = [f"{at:.1f},{high:.1f}" for at, _, high in known] + [f"{at:.1f},{low:.1f}" for at, low, _ in known[::-1]]
    return [f'<polygon points="{" ".join(outline)}" fill="{_F1}" opacity="0.18"/>']


def _forecast(points: Sequence[CurvePoint], x: Scale, y: Scale) -> list[str]:
    """The fitted curve with the interval of what a training will show."""
    if not points:
        return []
    middle = " ".join(f"{x(p.annotated):.1f},{y(p.f1):.1f}" for p in points)
    upper = [f"{x(p.annotated):.1f},{y(p.high):.1f}" for p in points]
    lower = [f"{x(p.annotated):.1f},{y(p.low):.1f}" for p in points[::-1]]
    return [
        f'<polygon points="{" ".join([*upper, *lower])}" fill="{_FORECAST}" opacity="0.15"/>',
        f'<polyline points="{middle}" fill="none" stroke="{_FORECAST}" stroke-width="1.5" stroke-dasharray="2 3"/>',
    ]


def _line(points: Sequence[tuple[float, float, str]], colour: str, dash: str = "none") -> list[str]:
    path = " ".join(f"{a:.1f},{b:.1f}" for a, b, _ in points)
    line = f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>'
    dots = [
        f'<circle cx="{a:.1f}" cy="{b:.1f}" r="4" fill="{colour}"><title>{escape(hint)}</title></circle>'
        for a, b, hint in points
    ]
    return [line, *dots] if points else []


def _legend(forecast: bool) -> list[str]:
    entries = [(_F1, "none", "F1 on test split, 95 % interval"), (_ACCEPTED, "6 4", "suggestion acceptance, F1")]
    entries += [(_FORECAST, "2 3", "forecast, 80 % interval")] if forecast else []
    parts = []
    for i, (colour, dash, name) in enumerate(entries):
        at = _LEFT + 8 + 240 * i
        parts.append(f'<path d="M{at} 40h28" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>')
        parts.append(_text(at + 36, 44, name))
    return parts


def _f1_hint(e: Entry) -> str:
    interval = f" ({100 * e.low:.1f} to {100 * e.high:.1f})" if e.low is not None and e.high is not None else ""
    return f"{e.round}: F1 {100 * (e.f1 or 0):.1f}{interval} at {e.annotated} records, {e.n_test} test records"


def _accepted_hint(e: Entry) -> str:
    return f"{e.round}: acceptance F1 {100 * (e.accepted or 0):.1f}, {e.kept} of {e.suggested} suggested spans kept"


def _text(x: float, y: float, words: str, *, anchor: str = "start", size: int = 13) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{escape(words)}</text>'


def _step(most: int) -> int:
    """A round number (1, 2 or 5 times a power of ten) that divides 0..most into four to ten parts."""
    power = 10 ** floor(log10(max(most, 1)))
    return max(1, next(int(power * f) for f in (0.1, 0.2, 0.5, 1) if most / (power * f) <= 10))
