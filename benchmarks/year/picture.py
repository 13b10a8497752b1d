"""A picture of the year: what grows and what does not, on a logarithmic axis over the rounds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

Series = Mapping[str, Sequence[float]]
_WIDTH, _PANEL = 1100, 440
_LEFT, _RIGHT, _TOP, _BOTTOM = 90, 280, 50, 40
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999", "#7a5195")
_INK, _GRID = "#333333", "#dddddd"


@dataclass(frozen=True, slots=True)
class Panel:
    """One axis with its lines.

    Attributes:
        title: What the axis says, with its unit.
        series: Positive figures, one a round, by the name of the line; what is not positive is not drawn.
    """

    title: str
    series: Series


def draw(path: Path, panels: Sequence[Panel]) -> None:
    """Write a PNG file with the panels below each other."""
    image = Image.new("RGB", (_WIDTH, _PANEL * len(panels)), "white")
    for number, panel in enumerate(panels):
        _draw(ImageDraw.Draw(image), panel, _PANEL * number)
    image.save(path)


def _draw(pen: ImageDraw.ImageDraw, panel: Panel, down: int) -> None:
    values = [value for line in panel.series.values() for value in line if value > 0] or [1.0]
    low, high = floor(log10(min(values))), ceil(log10(max(values) * 1.001))
    rounds = max((len(line) for line in panel.series.values()), default=1)
    bottom, top, right = down + _PANEL - _BOTTOM, down + _TOP, _WIDTH - _RIGHT

    def x(number: int) -> float:
        return _LEFT + (right - _LEFT) * number / max(rounds - 1, 1)

    def y(value: float) -> float:
        return bottom - (bottom - top) * (log10(value) - low) / max(high - low, 1)

    small, large = ImageFont.load_default(14), ImageFont.load_default(17)
    pen.text((_LEFT, down + 14), panel.title, fill=_INK, font=large)
    for power in range(low, high + 1):
        pen.line((_LEFT, y(10.0**power), right, y(10.0**power)), fill=_GRID)
        pen.text((_LEFT - 10, y(10.0**power)), f"{10.0**power:,g}", fill=_INK, font=small, anchor="rm")
    for number in range(0, rounds, max(1, rounds // 8)):
        pen.text((x(number), bottom + 14), str(number + 1), fill=_INK, font=small, anchor="mm")
    for place, ((name, line), colour) in enumerate(zip(panel.series.items(), _COLOURS, strict=False)):
        points = [(x(number), y(value)) for number, value in enumerate(line) if value > 0]
        pen.line(points, fill=colour, width=2)
        last = f"{name}: {line[-1]:,.3g}" if line else name
        pen.line((right + 16, top + 24 * place, right + 40, top + 24 * place), fill=colour, width=3)
        pen.text((right + 48, top + 24 * place), last, fill=_INK, font=small, anchor="lm")
