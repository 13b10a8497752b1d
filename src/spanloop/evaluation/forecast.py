"""What more labels will bring: a power law through the scores of past models, and how far it can be trusted.

Error falls towards a rest as a power of the number of labels: F1(n) = a - b * n^-c (Figueroa et al., "Predicting sample
size required for classification performance", BMC Medical Informatics and Decision Making 12, 2012; Hestness et al.,
"Deep learning scaling is predictable, empirically", 2017). Written by the error e at the newest model's N labels and
the share r of it that no label removes,

    1 - F1(n) = e * (r + (1 - r) * (n / N)^-c),      a = 1 - r * e,   b = (1 - r) * e * N^c,

it is linear in e. A few points do not tell r and c apart, and which of them fits best is luck; so none is chosen.
Every pair on a grid is weighed by how well it explains the points, and the forecast is the mixture (Bayesian model
averaging: Hoeting et al., Statistical Science 14, 1999). What is uncertain besides:

- The test records (`shared_noise`): they are the same for all models, so that most of their luck cancels in a gain.
- The luck of each training, whose variance shrinks with the labels, and which is larger where there is more error left.
  Half of it is that of the records that happened to be annotated, which a later model's records include; its size is
  weighed on the grid too, as the points say little.
- The law itself, which holds near and less so far: a score apart from the newest one counts by so much less, and what
  is promised beyond is by so much less certain.
"""

from dataclasses import dataclass

import numpy as np

from spanloop.evaluation.bootstrap import resampled
from spanloop.evaluation.counts import FloatArray, IntArray, f1_of

LEVEL = 0.8
_ENDS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
LEAST = 3  # points; two tell a slope, and nothing of how it flattens
_DRAWS = 4000
_RESTS = np.linspace(0.0, 0.9, 10)
_EXPONENTS, _LIKELY_EXPONENT = np.geomspace(0.1, 1.6, 13), (0.5, 0.6)
# Standard deviation of F1 over trainings on 300 records, as a share of the error that is left; its likely median, and
# the spread of its logarithm. What rehearsals showed: `docs/lab-notes.md`.
_LUCKS, _LIKELY_LUCK, _LUCK_RECORDS = np.geomspace(0.006, 0.14, 11), (0.035, 0.5), 300
_LEAST_ERROR = 0.01  # that luck is a share of: a model without an error on few test records is not without luck
_OF_RECORDS = 0.5  # of the variance of luck, the part of the records that were annotated
_MISFIT = 0.3  # of a difference in F1, the standard deviation of what the law gets wrong


@dataclass(frozen=True, slots=True)
class Gain:
    """What more labels should bring, in F1, 0..1.

    Attributes:
        expected: The gain of the curve.
        low: Lower end of the 80 % interval of what two trainings will show, each with its luck.
        high: Upper end.
    """

    expected: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Curve:
    """A learning curve, as draws of what it may be.

    Attributes:
        records: Training records of the newest model, N above.
        error: Shape (draws,): 1 - F1 at N.
        rest: Shape (draws,): the share of that error that no label removes.
        exponent: Shape (draws,).
        luck: Shape (draws,): variance of a training's F1, times the number of its records.
    """

    records: float
    error: FloatArray
    rest: FloatArray
    exponent: FloatArray
    luck: FloatArray

    def at(self, records: float) -> FloatArray:
        """F1 on the curve with so many training records, shape (draws,)."""
        left = self.rest + (1 - self.rest) * (records / self.records) ** -self.exponent
        return np.maximum(1 - self.error * left, 0.0)

    def band(self, records: float) -> tuple[float, float, float]:
        """F1 of a model with so many training records: low, median, high, the ends those of its 80 % interval."""
        scores = self.at(records)
        spread = np.sqrt(self.luck / records + self._misfit(records))
        low, high = np.clip(np.quantile(scores + spread * _chance(len(scores)), _ENDS), 0.0, 1.0)
        return float(low), float(np.median(scores)), float(high)

    def gain(self, records: float, more: float) -> Gain:
        """What a model with `more` records will show over one with `records`, some of whose luck it inherits."""
        gains, inherited = self.at(more) - self.at(records), 2 * _OF_RECORDS / more
        spread = np.sqrt(self.luck * (1 / records + 1 / more - inherited) + self._misfit(records) + self._misfit(more))
        low, high = np.quantile(gains + spread * _chance(len(gains)), _ENDS)
        return Gain(float(np.median(gains)), float(low), float(high))

    def _misfit(self, records: float) -> FloatArray:
        off: FloatArray = (_MISFIT * (self.at(records) - self.at(self.records))) ** 2
        return off


def _chance(draws: int) -> FloatArray:
    return np.random.default_rng(0).standard_normal(draws)


def shared_noise(counts: IntArray, *, samples: int = 1000, seed: int = 0) -> FloatArray:
    """How F1 of several models goes up and down together with the test records.

    Args:
        counts: Shape (groups, models, 3): correct, predicted, gold; at least two groups.
        samples: Resamples of the groups.
        seed: Seed of the resampling.

    Returns:
        Shape (models, models): the covariance, widened for few groups.
    """
    groups, models, _ = counts.shape
    drawn = resampled(counts.reshape(groups, -1), samples, np.random.default_rng(seed))
    covariance = np.cov(f1_of(drawn.reshape(samples, models, 3)), rowvar=False)
    widened: FloatArray = np.atleast_2d(covariance) * groups / (groups - 1)
    return widened


def fit(records: FloatArray, f1: FloatArray, noise: FloatArray | None = None, *, seed: int = 0) -> Curve:
    """Weigh the power laws that may have led to these scores.

    Args:
        records: Shape (models,): how many records each was trained on, above 0; the last is the newest.
        f1: Shape (models,): their F1 on the same test records, 0..1.
        noise: Shape (models, models): the covariance of these, over test records; None: they are exact.
        seed: Of the draws.

    Returns:
        The curve.

    Raises:
        ValueError: There are fewer than `LEAST` models.
    """
    if len(records) < LEAST:
        raise ValueError(f"{len(records)} models; a curve needs {LEAST}")
    newest, far = float(records[-1]), np.diag((_MISFIT * (f1 - f1[-1])) ** 2)
    rest, exponent, size = (x.ravel() for x in np.meshgrid(_RESTS, _EXPONENTS, _LUCKS, indexing="ij"))
    luck = (size * max(1 - f1[-1], _LEAST_ERROR)) ** 2 * _LUCK_RECORDS
    shape = rest[:, None] + (1 - rest[:, None]) * (records / newest) ** -exponent[:, None]
    covariance = luck[:, None, None] * _inherited(records) + far + (0.0 if noise is None else noise)
    errors, spreads, fits = _least_squares(shape, 1 - f1, covariance)
    log_weights = fits + _bell(exponent, *_LIKELY_EXPONENT) + _bell(size, *_LIKELY_LUCK)
    weights = np.exp(log_weights - log_weights.max())
    rng = np.random.default_rng(seed)
    drawn = rng.choice(len(weights), _DRAWS, p=weights / weights.sum())
    error = np.clip(errors[drawn] + spreads[drawn] * rng.standard_normal(_DRAWS), 0.001, 1.0)
    return Curve(newest, error, rest[drawn], exponent[drawn], luck[drawn])


def _inherited(records: FloatArray) -> FloatArray:
    """Covariance of the luck of trainings by their records, for a variance of 1 at one record: (models, models)."""
    return _OF_RECORDS / np.maximum.outer(records, records) + (1 - _OF_RECORDS) * np.diag(1 / records)


def _least_squares(
    shape: FloatArray, seen: FloatArray, covariance: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The error at the newest model by generalised least squares, in each cell of the grid.

    Args:
        shape: Shape (cells, models): errors as multiples of the newest one's.
        seen: Shape (models,): the errors.
        covariance: Shape (cells, models, models).

    Returns:
        Its mean, its standard deviation, and the logarithm of how likely the cell makes the errors.
    """
    inverse = np.linalg.inv(covariance)
    precision = np.einsum("ki,kij,kj->k", shape, inverse, shape)
    mean = np.einsum("ki,kij,j->k", shape, inverse, seen) / precision
    apart = seen - mean[:, None] * shape
    misfit = np.einsum("ki,kij,kj->k", apart, inverse, apart)
    fits = -0.5 * (misfit + np.linalg.slogdet(covariance)[1] + np.log(precision))
    return mean, 1 / np.sqrt(precision), fits


def _bell(values: FloatArray, middle: float, spread: float) -> FloatArray:
    """The logarithm of a log-normal weight."""
    weight: FloatArray = -0.5 * (np.log(values / middle) / spread) ** 2
    return weight
