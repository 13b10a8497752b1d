"""The annotators' queue: every pending record gets a priority in (0, 1], the highest is served first.

Two streams are merged. Training records are ordered by the query strategy. Held-out records (validation and test) come
in an order that only the seed and their ids decide, never a score: what annotators have done of them at any time is a
simple random sample of the pool's held-out records, so the test F1 means what it says whatever the strategy prefers.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from spanloop.config import SelectionConfig, Splits
from spanloop.errors import ConfigError
from spanloop.selection.lookup import find_strategy
from spanloop.selection.pool import FloatArray, Pending, Pool, ranks, shuffled
from spanloop.selection.reranking import STEPS


def prioritise(pending: Sequence[Pending], config: SelectionConfig, splits: Splits) -> dict[str, float]:
    """Order the queue.

    Args:
        pending: Records that nobody has submitted, in any order.
        config: Strategy, steps, seed and held-out share.
        splits: Deals groups to splits.

    Returns:
        Priority by record id: evenly spaced in (0, 1] by rank, 1.0 first. The same for the same records, configuration
        and seed, in whatever order the records come.

    Raises:
        ConfigError: The strategy needs statistics that the scoring pass did not make, or returned no values.
        DataError: An id stands twice.
    """
    records = shuffled(pending, config.seed)
    held = [splits.split_of(record.group) != "train" for record in records]
    train = [record for record, out in zip(records, held, strict=True) if not out]
    rng = np.random.default_rng(config.seed)
    order = np.argsort(-_values(train, config, rng), kind="stable")
    queue = [train[i] for i in order], [record for record, out in zip(records, held, strict=True) if out]
    from_held = interleave(len(queue[0]), len(queue[1]), config.held_out_share, rng)
    streams = iter(queue[0]), iter(queue[1])
    n = len(records)
    return {next(streams[out]).id: (n - rank) / n for rank, out in enumerate(from_held.tolist())}


def uncertainties(pending: Sequence[Pending], config: SelectionConfig) -> dict[str, float]:
    """How uncertain the model is about each scored record, for annotators to see.

    Args:
        pending: Records, scored or not.
        config: The strategy.

    Returns:
        The strategy's value by record id, or that of `mnlp` where a strategy's values are no measure, as those of
        `random`; for the scored records that have one.
    """
    pool, strategy = Pool(shuffled(pending, config.seed)), find_strategy(config.strategy)
    rng = np.random.default_rng(config.seed)
    values = strategy.values(pool, rng) if strategy.is_measure else pool.statistic("mnlp")
    return {r.id: float(v) for r, v in zip(pool.records, values, strict=True) if r.statistics and np.isfinite(v)}


def interleave(n_train: int, n_held: int, share: float, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Deal places of the queue to the two streams until both are used up.

    Each stretch of 1/share places has one held-out record, at a random place in it, so that no batch is without.

    Args:
        n_train: Training records.
        n_held: Held-out records.
        share: Share of the places for held-out records while there are any: 0 puts them last, 1 first.
        rng: Source of the places.

    Returns:
        Shape (n_train + n_held,): 1 for a held-out record, 0 for a training record.
    """
    with np.errstate(divide="ignore"):
        held_at = (np.arange(n_held) + rng.random(n_held)) / np.float64(share)
        train_at = (np.arange(n_train) + 0.5) / np.float64(1 - share)
    streams = np.repeat([0, 1], [n_train, n_held])
    return streams[np.argsort(np.concatenate([train_at, held_at]), kind="stable")]


def _values(records: Sequence[Pending], config: SelectionConfig, rng: np.random.Generator) -> FloatArray:
    """The records' final values; records that the strategy cannot judge come after all others, in the order given."""
    raw = find_strategy(config.strategy).values(Pool(records), rng)
    usable = np.isfinite(raw)
    if not usable.any() and any(record.statistics for record in records):
        raise ConfigError(
            f"selection.strategy: {config.strategy} needs statistics that the scoring pass did not make; choose another"
        )
    judged = [record for record, good in zip(records, usable, strict=True) if good]
    values = ranks(raw[usable])
    for name, step in STEPS.items():
        if strength := config.steps.get(name, 0.0):
            values = step(values, judged, strength)
    final = np.full(len(records), -np.inf)
    final[usable] = values
    return final
