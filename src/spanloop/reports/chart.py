"""Shares over what was annotated, as a picture: lines with their bands, a dot for every figure.

A self-contained SVG written by hand: any browser and any report shows it, and nothing has to be installed for it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import count
from math import ceil, floor, log10

WIDTH, HEIGHT = 760, 440
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 24, 56, 60
_INK, _GRID = "#333333", "#dddddd"
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999")  # Okabe and Ito
_DASHES = ("none", "6 4", "2 3")  # told apart in grey, and where the colours begin anew
_KEYS_A_ROW = 3

Scale = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Mark:
    """One figure.

    Attributes:
        x: What was annotated.
        y: The share, in 0..1.
        hint: Shown where the mouse rests.
        low: Lower end of its band; None without one.
        high: Upper end.
        radius: Of its dot, in pixels.
    """

    x: float
    y: float
    hint: str
    low: float | None = None
    high: float | None = None
    radius: float = 4.0


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the picture, in the order of its marks."""

    name: str
    marks: Sequence[Mark]


def chart(lines: Sequence[Line], *, title: str, x_label: str, zoom: bool = False) -> str:
    """Draw lines.

    Args:
        lines: In the order of the key; one without marks has its place in it too.
        title: Heading of the picture.
        x_label: What was annotated.
        zoom: Let the upright axis go from the ten below the lowest share to that above the highest, not from 0 to 100.

    Returns:
        An SVG document.
    """
    marks = [mark for line in lines for mark in line.marks]
    most = ceil(max((mark.x for mark in marks), default=0)) or 1
    step = _step(most)
    right = step * -(-most // step)
    lowest = min((mark.y if mark.low is None else mark.low for mark in marks), default=0.0)
    highest = max((mark.y if mark.high is None else mark.high for mark in marks), default=1.0)
    bottom = floor(10 * min(lowest, 0.9)) if zoom else 0
    peak = max(ceil(10 * highest), bottom + 1) if zoom else 10
    percents = range(10 * bottom, 10 * peak + 1, 20 if peak - bottom > 5 else 10)
    top = _TOP + 20 * (max(0, len(lines) - 1) // _KEYS_A_ROW)

    def x(value: float) -> float:
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * value / right

    def y(share: float) -> float:
        return HEIGHT - _BOTTOM - (HEIGHT - top - _BOTTOM) * (10 * share - bottom) / (peak - bottom)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img" font-family="sans-serif" font-size="13" fill="{_INK}">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        _text(_LEFT, 24, title, size=16),
        *_axes(x, y, range(0, right + 1, step), percents, x_label),
    ]
    for line, (colour, dash) in zip(lines, _styles(), strict=False):
        parts += [*_band(line, x, y, colour), *_drawn(line, x, y, colour, dash)]
    return "\n".join([*parts, *_key(lines), "</svg>"]) + "\n"


def _styles() -> Iterator[tuple[str, str]]:
    """A colour and a dash for each line: neighbours differ in both, and no two lines of 24 in neither."""
    n = len(_COLOURS)
    return ((_COLOURS[i % n], _DASHES[(i % n + i // n) % len(_DASHES)]) for i in count())


def _axes(x: Scale, y: Scale, ticks: range, percents: range, x_label: str) -> list[str]:
    parts, end = [], y((percents.stop - 1) / 100)
    for percent in percents:
        at = y(percent / 100)
        parts.append(f'<path d="M{_LEFT} {at:.1f}H{WIDTH - _RIGHT}" stroke="{_GRID}"/>')
        parts.append(_text(_LEFT - 8, at + 4, str(percent), anchor="end"))
    parts += [_text(x(tick), HEIGHT - _BOTTOM + 20, f"{tick:,}", anchor="middle") for tick in ticks]
    parts.append(f'<path d="M{_LEFT} {end:.1f}V{HEIGHT - _BOTTOM}H{WIDTH - _RIGHT}" fill="none" stroke="{_INK}"/>')
    parts.append(_text((_LEFT + WIDTH - _RIGHT) / 2, HEIGHT - 16, x_label, anchor="middle"))
    parts.append(_text(_LEFT - 8, end - 12, "%", anchor="end"))
    return parts


def _band(line: Line, x: Scale, y: Scale, colour: str) -> list[str]:
    """The intervals as an area; a bar where there is only one."""
    known = [(x(m.x), y(m.low), y(m.high)) for m in line.marks if m.low is not None and m.high is not None]
    if not known:
        return []
    if len(known) == 1:
        at, low, high = known[0]
        return [f'<path d="M{at:.1f} {low:.1f}V{high:.1f}" stroke="{colour}" stroke-width="6" opacity="0.25"/>']
    outline = [f"{at:.1f},{high:.1f}" for at, _, high in known] + [f"{at:.1f},{low:.1f}" for at, low, _ in known[::-1]]
    return [f'<polygon points="{" ".join(outline)}" fill="{colour}" opacity="0.18"/>']


def _drawn(line: Line, x: Scale, y: Scale, colour: str, dash: str) -> list[str]:
    points = [(x(mark.x), y(mark.y), mark) for mark in line.marks]
    path = " ".join(f"{a:.1f},{b:.1f}" for a, b, _ in points)
    drawn = f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>'
    dots = [
        f'<circle cx="{a:.1f}" cy="{b:.1f}" r="{m.radius:.3g}" fill="{colour}"><title>{escape(m.hint)}</title></circle>'
        for a, b, m in points
    ]
    return [drawn, *dots] if points else []


def _key(lines: Sequence[Line]) -> list[str]:
    parts = []
    width = (WIDTH - _LEFT - _RIGHT) / min(max(len(lines), 2), _KEYS_A_ROW)
    for i, (line, (colour, dash)) in enumerate(zip(lines, _styles(), strict=False)):
        at, down = _LEFT + 16 + width * (i % _KEYS_A_ROW), 40 + 20 * (i // _KEYS_A_ROW)
        parts.append(f'<path d="M{at:.1f} {down}h28" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>')
        parts.append(_text(at + 36, down + 4, line.name))
    return parts


def _text(x: float, y: float, words: str, *, anchor: str = "start", size: int = 13) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{escape(words)}</text>'


def _step(most: int) -> int:
    """A round number (1, 2 or 5 times a power of ten) that divides 0..most into four to ten parts."""
    power = 10 ** floor(log10(max(most, 1)))
    return max(1, next(int(power * f) for f in (0.1, 0.2, 0.5, 1) if most / (power * f) <= 10))
