"""Do successive models still change their minds? Agreement on texts that none of them learnt from, and what it bounds.

Bloodgood and Vijay-Shanker, "A method for stopping active learning based on stabilizing predictions and the need for
user-adjustable stopping", CoNLL 2009: on a fixed set of texts, whose labels nobody needs, compare each model with the
one before it by Cohen's kappa; when the mean of the last three comparisons reaches 0.99, predictions have stabilised.

Bloodgood and Grothendieck, "Analysis of stopping active learning based on stabilizing predictions", CoNLL 2013: two
models whose kappa on a set of texts is K > 0 differ in F1 there by at most 4 (1 - K) / K, whatever the right answers.

Kappa needs a number of things that neither model marks. Of spans there is no such number, as any stretch of characters
could be one; as it grows, kappa approaches the F1 of one model's spans against the other's (Hripcsak and Rothschild,
JAMIA 2005), which is what stands here. The bound holds for it: its proof goes from kappa to that F1, and from there on.
With `s` spans that only one model marks and `a` that both do, at most s of the right ones are won or lost and at most s
of the marked ones, so F1 moves by at most 2 s / a, and s = 2 a (1 - K) / K.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from spanloop.evaluation.counts import Counts, Predictions, plain

WINDOW = 3  # comparisons
STABLE = 0.99


@dataclass(frozen=True, slots=True)
class Stability:
    """How far successive models agree.

    Attributes:
        texts: Texts they were compared on.
        kappas: Agreement of each model with the one before it, 0..1, the newest pair last, at most three.
        bound: The most by which F1 of the newest two can differ on these texts, in F1, 0..1.
        stable: Whether the criterion of 2009 is met.
    """

    texts: int
    kappas: tuple[float, ...]
    bound: float
    stable: bool


def stability(models: Sequence[Predictions]) -> Stability | None:
    """Compare successive models.

    Args:
        models: Spans by record id, of the same records, oldest model first.

    Returns:
        The agreement of the newest ones; None with fewer than two models, or without texts.
    """
    if len(models) < 2 or not models[-1]:
        return None
    kappas = tuple(kappa(a, b) for a, b in pairwise(models[-WINDOW - 1 :]))
    stable = len(kappas) == WINDOW and sum(kappas) / WINDOW >= STABLE
    return Stability(len(models[-1]), kappas, largest_change(kappas[-1]), stable)


def kappa(a: Predictions, b: Predictions) -> float:
    """Agreement of two models on exact spans; 1 where neither finds any."""
    pairs = [(set(plain(a[record_id])), set(plain(b[record_id]))) for record_id in b]
    both, first, second = (sum(sizes) for sizes in zip(*((len(x & y), len(x), len(y)) for x, y in pairs), strict=True))
    return Counts(both, second, first).f1 if first + second else 1.0


def largest_change(agreement: float) -> float:
    """The most by which F1 of two models of this agreement can differ: 4 (1 - K) / K, and never more than 1."""
    return min(1.0, 4 * (1 - agreement) / agreement) if agreement > 0 else 1.0
