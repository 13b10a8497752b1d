"""How often the gate errs, and what its figures are worth: `python -m benchmarks.gate [--data DATA] --out FILE.json`.

Test splits are drawn from pools of a few thousand records, on which every model's true F1 is known. Three questions:

- The gate: how often is a challenger promoted that is truly worse, and one kept out that is truly better? The shipped
  rule beside simpler ones, on the same draws.
- Reuse: eight models of equal worth, or each a point better than the last, stand one after the other before the gate
  on the same test split. By how much is the F1 of the one that serves in the end too high, and what is left of it after
  the correction?
- Intervals: how often does the 95 % interval hold the truth, with records or with whole documents drawn?

Without `--data` the pool is made up. With it, models are trained once (some minutes each) and kept in `--cache`.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.gate_pools import Pool, at, documents, made_up, trained
from benchmarks.options import make_parser
from benchmarks.report import table, write_report
from spanloop.config import GateConfig
from spanloop.evaluation.bootstrap import Paired, compared, interval, resampled
from spanloop.evaluation.counts import IntArray, f1_of
from spanloop.evaluation.gate import passes
from spanloop.evaluation.optimism import optimism_of

SIZES = (5, 10, 20, 50, 100, 200)
WORSE, BETTER = (0.5, 1.0, 2.0, 4.0), (1.0, 2.0, 4.0, 8.0)
DIFFERENCES = (*(-x for x in reversed(WORSE)), 0.0, *BETTER)
RULES = {
    "shipped": GateConfig(),
    "higher F1": GateConfig(margin=0.0, max_risk=0.5),
    "better at 90 %": GateConfig(margin=0.0, max_risk=0.1),
    "better at 95 %": GateConfig(margin=0.0, max_risk=0.05),
    "not 2 worse at 95 %": GateConfig(max_risk=0.05),
}
ROUNDS, REUSED = 8, (20, 50, 100, 200)
DOCUMENTS = (10, 20, 40)
_CHURN = 0.05
_DRAWS = 20  # test splits for each making of the challengers


@dataclass(frozen=True, slots=True)
class Reuse:
    """What eight rounds on one test split do to the F1 that is reported at their end, in points.

    Attributes:
        gain: How much better each model is than the one before it.
        records: Size of the test split.
        plain_rule: Mean excess of the reported F1 where the higher F1 wins.
        raw: Mean excess under the shipped gate, not corrected.
        corrected: The same, corrected.
        raw_error: Root mean square of raw minus truth.
        corrected_error: The same, corrected.
    """

    gain: float
    records: int
    plain_rule: float
    raw: float
    corrected: float
    raw_error: float
    corrected_error: float


def main() -> None:
    """Run the benchmark from the command line."""
    parser = make_parser("gate", __doc__, "a tenth of the trials")
    parser.add_argument("--data", type=Path, help="folder of the corpora; without it the pool is made up")
    parser.add_argument("--corpora", nargs="+", default=["bc5cdr", "wnut17"])
    parser.add_argument("--cache", type=Path, default=Path(".gate-pools"), help="folder for counts of trained models")
    parser.add_argument("--trials", type=int, default=600, help="test splits a size")
    options = parser.parse_args()
    trials = max(_DRAWS, options.trials // 10) if options.quick else options.trials
    pools = [trained(options.data, name, options.cache) for name in options.corpora] if options.data else [made_up()]
    figures: dict[str, Any] = {"trials": trials, "pools": {}}
    for pool in pools:
        found = measure(pool, trials)
        figures["pools"][pool.name] = {"records": pool.models.shape[1], "f1": pool.f1(), **found}
        write_report(options.out, figures)
        _show(pool, found)


def measure(pool: Pool, trials: int) -> dict[str, Any]:
    """All figures of one pool.

    Args:
        pool: The pool.
        trials: Test splits a size.
    """
    found: dict[str, Any] = {"promoted": {str(n): promotions(pool, n, trials) for n in SIZES}}
    found["reuse"] = [asdict(reuse(pool, gain, n, trials // 2)) for gain in (0.0, 1.0) for n in REUSED]
    if pool.in_documents:
        found["coverage"] = {str(n): coverage(pool, n, 2 * trials) for n in DOCUMENTS}
    return found


def promotions(pool: Pool, records: int, trials: int) -> dict[str, dict[str, float]]:
    """Share of the trials in which each rule promotes, by the true difference in points.

    Every rule and difference sees the same test splits and the same resamples of them. The challenger is made from the
    champion's successor in half of the trials, from a training of its own in the others.

    Args:
        pool: The pool; its first model is the champion.
        records: Size of the test split.
        trials: How many test splits.
    """
    rng, promoted = np.random.default_rng(records), {rule: np.zeros(len(DIFFERENCES)) for rule in RULES}
    truth = float(f1_of(pool.models[0].sum(axis=0)))
    for trial in range(trials):
        if trial % _DRAWS == 0:
            other = pool.models[1 + trial // _DRAWS % 2]
            challengers = [at(other, truth + difference / 100, 0.0, rng) for difference in DIFFERENCES]
            models = np.concatenate([pool.models[0], *challengers], axis=1)
        split = models[rng.choice(len(models), records, replace=False)]
        drawn = resampled(split, 1000, rng)
        for i in range(len(DIFFERENCES)):
            for rule, config in RULES.items():
                promoted[rule][i] += passes(_pair(split, drawn, 0, i + 1, config), config)
    return {rule: dict(zip(map(str, DIFFERENCES), counts / trials, strict=True)) for rule, counts in promoted.items()}


def reuse(pool: Pool, gain: float, records: int, trials: int) -> Reuse:
    """Let eight models stand before the gate, one after the other, on one test split.

    Args:
        pool: The pool.
        gain: How much better each is than the one before it, in points.
        records: Size of the test split.
        trials: How many test splits.
    """
    rng, config = np.random.default_rng(records), GateConfig()
    truth, rows = float(f1_of(pool.models[0].sum(axis=0))), []
    for trial in range(trials):
        if trial % _DRAWS == 0:
            models = [_mixed(pool, truth + i * gain / 100, rng) for i in range(ROUNDS)]
            true, together = [100 * float(f1_of(m.sum(axis=0))) for m in models], np.concatenate(models, axis=1)
        split = together[rng.choice(len(together), records, replace=False)]
        drawn, seen = resampled(split, 1000, rng), 100 * f1_of(split.reshape(records, ROUNDS, 3).sum(axis=0))
        plain, serving = (_serving(split, drawn, rule) for rule in (RULES["higher F1"], config))
        correction = 100 * optimism_of(split.reshape(records, ROUNDS, 3), serving, config)
        excess = seen[serving] - true[serving]
        rows.append((seen[plain] - true[plain], excess, excess - correction))
    means, errors = np.mean(rows, axis=0), np.sqrt(np.square(rows).mean(axis=0))
    return Reuse(gain, records, *(float(x) for x in (*means, *errors[1:])))


def coverage(pool: Pool, size: int, trials: int) -> dict[str, float]:
    """How often the 95 % interval holds the true F1, with records and with documents drawn.

    Args:
        pool: The pool.
        size: Documents in the test split.
        trials: How many test splits.
    """
    rng, hits = np.random.default_rng(size), {"records": 0, "documents": 0}
    texts = documents(pool.models[0])
    truth = float(f1_of(texts.sum(axis=(0, 1))))
    for trial in range(trials):
        split = texts[rng.choice(len(texts), size, replace=False)]
        for unit, counts in (("records", split.reshape(-1, 3)), ("documents", split.sum(axis=1))):
            low, high = interval(counts, seed=trial)
            hits[unit] += low <= truth <= high
    return {unit: hit / trials for unit, hit in hits.items()}


def _pair(split: IntArray, drawn: IntArray, a: int, b: int, config: GateConfig) -> Paired:
    columns = [*range(3 * a, 3 * a + 3), *range(3 * b, 3 * b + 3)]
    return compared(split[:, columns], drawn[:, columns], config.margin, len(split))


def _serving(split: IntArray, drawn: IntArray, config: GateConfig) -> int:
    """Who serves after all models were judged; the first goes in unjudged."""
    serving = 0
    for model in range(1, ROUNDS):
        serving = model if passes(_pair(split, drawn, serving, model, config), config) else serving
    return serving


def _mixed(pool: Pool, f1: float, rng: np.random.Generator) -> IntArray:
    """A model that agrees with others of the pool as they do among each other: record by record one of them."""
    choice = rng.integers(len(pool.models), size=pool.models.shape[1])
    return at(pool.models[choice, np.arange(len(choice))], f1, _CHURN, rng)


def _show(pool: Pool, found: dict[str, Any]) -> None:
    print(f"\n{pool.name}: {pool.models.shape[1]} records, F1 {', '.join(f'{100 * x:.1f}' for x in pool.f1())}\n")
    columns = [*(f"{x:+g} promoted" for x in DIFFERENCES if x <= 0), *(f"{x:+g} missed" for x in BETTER)]
    rows = [
        [rule, n, *(f"{100 * (share if float(x) <= 0 else 1 - share):.0f} %" for x, share in found_here[rule].items())]
        for rule in RULES
        for n, found_here in found["promoted"].items()
    ]
    print(table(["rule", "test records", *columns], rows))
    names = ("gain", "records", "plain_rule", "raw", "corrected", "raw_error", "corrected_error")
    print("\n" + table(names, [[f"{row[name]:.1f}" for name in names] for row in found["reuse"]]))
    if "coverage" in found:
        rows = [[n, *(f"{100 * x:.1f} %" for x in shares.values())] for n, shares in found["coverage"].items()]
        print("\n" + table(["documents", "records drawn", "documents drawn"], rows))


if __name__ == "__main__":
    main()
