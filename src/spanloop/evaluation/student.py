"""What a share of bootstrap resamples is worth when there are few groups: Student's t instead of the normal law.

Resampling n groups gives too small a spread, by sqrt((n - 1) / n), and one that is itself an estimate with n - 1
degrees of freedom. Both are made good in the level that is read off the resamples, as in the expanded percentile
interval (Hesterberg, "What Teachers Should Know About the Bootstrap", The American Statistician 69, 2015).
"""

from functools import lru_cache
from math import atan2, cos, pi, sin, sqrt
from statistics import NormalDist

_NORMAL = NormalDist()
_FEW = 200  # degrees of freedom from which the normal law is taken


def chance_of(share: float, groups: int) -> float:
    """The chance that a share of the resamples stands for.

    Args:
        share: Share of the resamples on one side of a value, between 0 and 1, both excluded.
        groups: Groups that were resampled, at least two.

    Returns:
        The chance that the truth is there: nearer to one half than the share is.
    """
    return student_law(sqrt((groups - 1) / groups) * _NORMAL.inv_cdf(share), groups - 1)


@lru_cache(maxsize=1024)
def share_of(chance: float, groups: int) -> float:
    """The share of the resamples that stands for a chance: the inverse of `chance_of`.

    Args:
        chance: Between 0 and 1, both excluded.
        groups: Groups that were resampled, at least two.
    """
    low, high = -40.0, 40.0
    for _ in range(60):
        middle = (low + high) / 2
        if student_law(sqrt((groups - 1) / groups) * middle, groups - 1) < chance:
            low = middle
        else:
            high = middle
    return _NORMAL.cdf(high)


def student_law(t: float, freedom: int) -> float:
    """Distribution function of Student's t for whole degrees of freedom (Abramowitz and Stegun, 26.7.3 and 26.7.4)."""
    if freedom >= _FEW:
        return _NORMAL.cdf(t)
    angle = atan2(t, sqrt(freedom))
    odd = freedom % 2
    term = sin(angle) * (cos(angle) if odd else 1.0)
    total = term if freedom > 1 else 0.0
    for k in range(3 if odd else 2, freedom - 1, 2):
        term *= cos(angle) ** 2 * (k - 1) / k
        total += term
    return 0.5 + ((angle + total) / pi if odd else total / 2)
