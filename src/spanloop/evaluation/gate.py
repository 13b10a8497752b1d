"""The gate: does the challenger replace the champion? Decided on one test split, by a paired bootstrap."""

from collections.abc import Sequence
from dataclasses import dataclass

from spanloop.config import GateConfig
from spanloop.evaluation.bootstrap import Paired, paired_bootstrap
from spanloop.evaluation.counts import Counts, Predictions, record_counts, total
from spanloop.records import Example


@dataclass(frozen=True, slots=True)
class Decision:
    """The gate's verdict.

    Attributes:
        promote: Whether the challenger goes into service.
        reason: One line with the figures it rests on.
        champion_f1: F1 of the model in service on this test split; None without one.
        challenger_f1: F1 of the new model on it; None where the split is too small to tell.
        paired: The comparison; None where there was nothing to compare.
    """

    promote: bool
    reason: str
    champion_f1: float | None
    challenger_f1: float | None
    paired: Paired | None


def decide(
    examples: Sequence[Example],
    champion: Predictions | None,
    challenger: Predictions,
    config: GateConfig,
    *,
    min_test: int = 1,
) -> Decision:
    """Decide whether the challenger goes into service.

    Without a champion, a challenger that finds anything right is better than none. A champion is replaced by a
    challenger with the higher F1 if the risk that it is worse by `config.margin` is at most `config.max_risk`. That is
    a test for non-inferiority; for a bound on such mistakes no other rule on the same figures misses fewer improvements
    (Lehmann and Romano, "Testing Statistical Hypotheses", 2005, chapter 3). Equal models stay.

    Args:
        examples: The test split of the newest snapshot, the same for both models.
        champion: Predictions of the model in service; None if there is none.
        challenger: Predictions of the new model.
        config: Bootstrap and threshold.
        min_test: Fewest test records that may judge.

    Returns:
        The verdict and its reason.

    Raises:
        DataError: A record without a prediction, or spans of one label that overlap, or leave their text.
    """
    if len(examples) < min_test or not examples:
        return _no(f"the test split has {len(examples)} records, {max(min_test, 1)} needed")
    new = total(record_counts(examples, challenger))
    if not new.gold:
        return _no(f"no span is marked in the {len(examples)} test records, so no model can be judged")
    if champion is None:
        return _first(new, len(examples))
    old = total(record_counts(examples, champion))
    paired = paired_bootstrap(
        examples, champion, challenger, margin=config.margin, samples=config.samples, seed=config.seed
    )
    return Decision(passes(paired, config), _reason(old, new, paired, config), old.f1, new.f1, paired)


def passes(paired: Paired, config: GateConfig) -> bool:
    """Whether a challenger that compares so with the champion goes into service."""
    return paired.delta_f1 > 0 and paired.risk <= config.max_risk


def _first(new: Counts, n_records: int) -> Decision:
    if not new.correct:
        reason = f"no champion yet, and the challenger finds none of {new.gold} spans in {n_records} test records"
        return Decision(False, reason, None, new.f1, None)
    reason = f"first model: F1 {100 * new.f1:.1f} on {n_records} test records with {new.gold} spans"
    return Decision(True, reason, None, new.f1, None)


def _no(reason: str) -> Decision:
    return Decision(False, reason, None, None, None)


def _reason(old: Counts, new: Counts, paired: Paired, config: GateConfig) -> str:
    groups = f" of {paired.n_groups} documents" if paired.n_groups != paired.n_records else ""
    figures = (
        f"F1 {100 * old.f1:.1f} -> {100 * new.f1:.1f} ({100 * paired.delta_f1:+.1f}, 95 % interval "
        f"{100 * paired.low:+.1f} to {100 * paired.high:+.1f}) on {paired.n_records} test records{groups} "
        f"with {new.gold} spans"
    )
    if paired.delta_f1 == 0:
        return f"equal, the champion stays: {figures}"
    if paired.delta_f1 < 0:
        return f"worse, the champion stays: {figures}"
    risk = f"{100 * paired.risk:.1f} % risk that it is {100 * paired.margin:g} points worse"
    allowed = f"{100 * config.max_risk:g} % allowed"
    if passes(paired, config):
        return f"better, {risk}, {allowed}: {figures}"
    return f"better, but {risk}, {allowed}, the champion stays: {figures}"
