"""What a curve of F1 over annotated words says, in figures; and how sure they are, from a few seeds.

No files and no models here: points in, figures out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import exp, log, sqrt
from statistics import fmean, stdev

Point = tuple[float, float]
"""What was spent, and the F1 that it bought."""

_LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over seeds with its 95 % interval, by Student's t.

    Attributes:
        mean: The mean.
        low: Lower end; None from a single seed.
        high: Upper end; None from a single seed.
        seeds: How many.
    """

    mean: float
    low: float | None
    high: float | None
    seeds: int


def reached(points: Sequence[Point], f1: float) -> float | None:
    """Where a curve first has an F1, by linear interpolation between its points.

    Args:
        points: In the order of what was spent.
        f1: The F1 to reach.

    Returns:
        What was spent by then, that of the first point at least; None if no point has it.
    """
    if points and points[0][1] >= f1:
        return points[0][0]
    for (x0, y0), (x1, y1) in pairwise(points):
        if y0 < f1 <= y1:
            return x0 + (x1 - x0) * (f1 - y0) / (y1 - y0)
    return None


def height(points: Sequence[Point], at: float) -> float:
    """The F1 of a curve at a place, by linear interpolation; level before the first point and after the last."""
    if at <= points[0][0]:
        return points[0][1]
    for (x0, y0), (x1, y1) in pairwise(points):
        if at <= x1:
            return y0 + (y1 - y0) * (at - x0) / (x1 - x0) if x1 > x0 else y1
    return points[-1][1]


def mean_height(points: Sequence[Point], low: float, high: float) -> float:
    """The area under a curve between two places over their distance: the mean F1 over what is spent.

    Args:
        points: In the order of what was spent, at least one.
        low: From here.
        high: To here; the height there if both are one.
    """
    if high <= low:
        return height(points, low)
    inner = [(x, y) for x, y in points if low < x < high]
    line = [(low, height(points, low)), *inner, (high, height(points, high))]
    return sum((x1 - x0) * (y0 + y1) / 2 for (x0, y0), (x1, y1) in pairwise(line)) / (high - low)


def interval(values: Sequence[float]) -> Interval | None:
    """The mean of one value a seed, with its interval; None of no value."""
    if not values:
        return None
    mean = fmean(values)
    if len(values) < 2:
        return Interval(mean, None, None, 1)
    half = _t(len(values) - 1) * stdev(values) / sqrt(len(values))
    return Interval(mean, mean - half, mean + half, len(values))


def saving(ours: Sequence[float], theirs: Sequence[float]) -> Interval | None:
    """The share that one saves beside another, paired by seed.

    Ratios multiply, so their logarithms are averaged: a seed in which twice as much is spent outweighs one in which
    half is, and no saving is above 1.

    Args:
        ours: What was spent with each seed.
        theirs: What the other spent with the same seeds, in the same order.
    """
    found = interval([log(a / b) for a, b in zip(ours, theirs, strict=True)])
    if found is None:
        return None
    low, high = (None if end is None else 1 - exp(end) for end in (found.high, found.low))
    return Interval(1 - exp(found.mean), low, high, found.seeds)


@lru_cache
def _t(freedom: int) -> float:
    """The quantile of Student's t that 95 % lie within, on both sides."""
    from spanloop.evaluation.student import student_law

    low, high = 0.0, 1000.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if student_law(middle, freedom) < (1 + _LEVEL) / 2 else (low, middle)
    return high
