"""The verdict of a rehearsal: what each strategy costs, what it saves beside random order, and which one to set."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import fmean
from typing import Any, TypeAlias

from spanloop.rehearsal.contenders import FULL, YARDSTICK
from spanloop.rehearsal.curves import Interval, Point, interval, mean_height, reached, saving
from spanloop.rehearsal.plan import Plan
from spanloop.rehearsal.step_results import StepResult

Runs: TypeAlias = Mapping[str, Mapping[int, Sequence[StepResult]]]

SHARES = (90, 95, 99)
_PROVEN_AT = 95


@dataclass(frozen=True, slots=True)
class Standing:
    """What one strategy did, over the seeds in which it took every step.

    Attributes:
        seeds: Their number.
        auc: Mean F1 over the annotated words, from the first budget to the last.
        auc_over_random: The difference to random order, paired by seed; None without it.
        words_to: Words at which a share of the full pool's F1 is reached, in percent of it; None if it is not.
        records_to: Likewise, records.
        saving: Share of the words, and of the records, saved beside random order at 95 % of the full pool's F1.
        reported_minus_true: By how much the F1 that a round reports is off, steps weighted by their test records.
        selected_minus_true: The same of a test set that is chosen as training records are.
        reported_minus_split: Reported F1 less that of the whole test split: what the order of the queue does to it.
        selected_minus_split: The same of a test set that is chosen as training records are.
    """

    seeds: int
    auc: float
    auc_over_random: Interval | None = None
    words_to: dict[int, float | None] = field(default_factory=dict)
    records_to: dict[int, float | None] = field(default_factory=dict)
    saving: dict[str, Interval | None] = field(default_factory=dict)
    reported_minus_true: Interval | None = None
    selected_minus_true: Interval | None = None
    reported_minus_split: Interval | None = None
    selected_minus_split: Interval | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rehearsal has shown so far.

    Attributes:
        full_f1: F1 of models of the whole pool; None before the first.
        full_split_f1: The same on the pool's own test split: far apart, the text that judges is of another kind.
        standings: By strategy, the best first.
        tied: Strategies that cannot be told from the best one by the area under their curves, itself included.
    """

    full_f1: Interval | None
    full_split_f1: Interval | None
    standings: dict[str, Standing]
    tied: list[str]

    def tree(self, plan: Plan) -> dict[str, Any]:
        """The verdict as `summary.json` has it, with the words that users know from its description."""
        strategies = {name: _standing_tree(standing) for name, standing in self.standings.items()}
        return {
            "pool": {"records": plan.records, "words": plan.words, "labels": plan.labels},
            "held_out_records": plan.judges,
            "budgets": plan.budgets,
            "full_f1": asdict(self.full_f1) if self.full_f1 else None,
            "full_split_f1": asdict(self.full_split_f1) if self.full_split_f1 else None,
            "best": next(iter(self.standings), None),
            "tied_with_best": self.tied,
            "strategies": strategies,
        }


def judge(results: Sequence[StepResult], plan: Plan) -> Verdict:
    """Draw the verdict from finished steps; strategies and seeds that are not through yet do not count."""
    runs = runs_of(results, len(plan.budgets))
    whole = [result for result in results if result.strategy == FULL]
    target = interval([result.f1 for result in whole])
    on_split = interval([result.split_f1 for result in whole if result.split_f1 is not None])
    end = _End(plan.words, plan.records, target.mean) if target else None
    areas = {name: {seed: _area(steps, plan) for seed, steps in seeds.items()} for name, seeds in runs.items()}
    order = sorted(areas, key=lambda name: -fmean(areas[name].values()))
    standings = {name: _standing(name, runs, areas, end) for name in order}
    return Verdict(target, on_split, standings, [name for name in order if _is_tied(areas[name], areas[order[0]])])


def runs_of(results: Sequence[StepResult], steps: int) -> Runs:
    """Finished steps by strategy and seed, in order: of the runs that took all of them."""
    found: dict[str, dict[int, list[StepResult]]] = defaultdict(lambda: defaultdict(list))
    for result in sorted(results, key=lambda result: (result.strategy, result.seed, result.step)):
        if result.strategy != FULL:
            found[result.strategy][result.seed].append(result)
    whole = {name: {s: run for s, run in seeds.items() if len(run) == steps} for name, seeds in found.items()}
    return {name: seeds for name, seeds in whole.items() if seeds}


@dataclass(frozen=True, slots=True)
class _End:
    """The whole pool, at which every curve ends."""

    words: int
    records: int
    f1: float


def _area(steps: Sequence[StepResult], plan: Plan) -> float:
    return mean_height(_points(steps, "words"), plan.budgets[0], plan.budgets[-1])


def _points(steps: Sequence[StepResult], spent: str) -> list[Point]:
    return [(float(getattr(step, spent)), step.f1) for step in steps]


def _standing(name: str, runs: Runs, areas: Mapping[str, Mapping[int, float]], end: _End | None) -> Standing:
    ours, random = runs[name], runs.get(YARDSTICK, {})
    return Standing(
        seeds=len(ours),
        auc=fmean(areas[name].values()),
        auc_over_random=_difference(areas[name], areas.get(YARDSTICK, {})) if name != YARDSTICK else None,
        words_to={share: _mean(_costs(ours, "words", end, share)) for share in SHARES},
        records_to={share: _mean(_costs(ours, "records", end, share)) for share in SHARES},
        saving={spent: _saving(ours, random, spent, end) for spent in ("words", "records")}
        if name != YARDSTICK
        else {},
        reported_minus_true=_bias(ours, lambda s: s.reported_f1, lambda s: s.f1, lambda s: s.n_test),
        selected_minus_true=_bias(ours, lambda s: s.selected_f1, lambda s: s.f1, lambda s: s.n_selected),
        reported_minus_split=_bias(ours, lambda s: s.reported_f1, lambda s: s.split_f1, lambda s: s.n_test),
        selected_minus_split=_bias(ours, lambda s: s.selected_f1, lambda s: s.split_f1, lambda s: s.n_selected),
    )


def _costs(
    seeds: Mapping[int, Sequence[StepResult]], spent: str, end: _End | None, share: int
) -> dict[int, float | None]:
    """What each seed spent to reach a share of the full pool's F1, in words or records."""
    if end is None:
        return {}
    last = (float(getattr(end, spent)), end.f1)
    return {seed: reached([*_points(steps, spent), last], end.f1 * share / 100) for seed, steps in seeds.items()}


def _mean(costs: Mapping[int, float | None]) -> float | None:
    known = [cost for cost in costs.values() if cost is not None]
    return fmean(known) if known and len(known) == len(costs) else None


def _saving(
    ours: Mapping[int, Sequence[StepResult]],
    random: Mapping[int, Sequence[StepResult]],
    spent: str,
    end: _End | None,
) -> Interval | None:
    costs, theirs = (_costs(seeds, spent, end, _PROVEN_AT) for seeds in (ours, random))
    pairs = [(a, b) for seed, a in costs.items() if a is not None and (b := theirs.get(seed)) is not None]
    return saving([a for a, _ in pairs], [b for _, b in pairs])


def _difference(ours: Mapping[int, float], theirs: Mapping[int, float]) -> Interval | None:
    return interval([ours[seed] - theirs[seed] for seed in sorted(ours.keys() & theirs.keys())])


def _is_tied(ours: Mapping[int, float], best: Mapping[int, float]) -> bool:
    """Whether the interval of the difference holds zero; a single seed tells nobody apart from anybody."""
    found = _difference(ours, best)
    return found is None or found.high is None or found.high >= 0


def _bias(
    seeds: Mapping[int, Sequence[StepResult]],
    said: Callable[[StepResult], float | None],
    true: Callable[[StepResult], float | None],
    weight: Callable[[StepResult], int],
) -> Interval | None:
    """Mean difference a seed, its steps weighted by the records behind the figure."""
    means: list[float] = []
    for steps in seeds.values():
        pairs = [(s - t, weight(x)) for x in steps if (s := said(x)) is not None and (t := true(x)) is not None]
        if records := sum(n for _, n in pairs):
            means.append(sum(difference * n for difference, n in pairs) / records)
    return interval(means)


def _standing_tree(standing: Standing) -> dict[str, Any]:
    tree = asdict(standing)
    for spent in ("words", "records"):
        tree |= {f"{spent}_to_{share}": value for share, value in tree.pop(f"{spent}_to").items()}
    tree[f"saving_vs_random_at_{_PROVEN_AT}"] = tree.pop("saving") or None
    return tree
