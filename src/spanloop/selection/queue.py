"""The annotators' queue: every pending record gets a priority in (0, 1], the highest is served first.

Two streams are merged. Training records are ordered by the query strategy. Held-out records (validation and test) come
in an order that only the seed and their ids decide, never a score: what annotators have done of them at any time is a
simple random sample of the pool's held-out records, so the test F1 means what it says whatever the strategy prefers.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from spanloop.config import SelectionConfig, SplitConfig
from spanloop.errors import ConfigError
from spanloop.selection.diversity import diversify
from spanloop.selection.pending import FloatArray, Pending, columns, shuffled
from spanloop.selection.steps import Step, damp_duplicates, damp_groups, per_word, ranks
from spanloop.selection.strategies import STRATEGIES
from spanloop.splits import split_of


def prioritise(
    pending: Sequence[Pending], config: SelectionConfig, splits: SplitConfig, *, steps: Sequence[Step] | None = None
) -> dict[str, float]:
    """Order the queue.

    Args:
        pending: Records that nobody has submitted, in any order.
        config: Strategy, steps, seed and held-out share.
        splits: How groups are dealt to splits.
        steps: What else counts beside the strategy, applied in order to the training records; None: what the
            configuration asks for.

    Returns:
        Priority by record id: evenly spaced in (0, 1] by rank, 1.0 first. The same for the same records, configuration
        and seed, in whatever order the records come.

    Raises:
        ConfigError: The strategy needs statistics that the scoring pass did not make.
        DataError: An id stands twice.
    """
    records = shuffled(pending, config.seed)
    held = [split_of(record.group, splits) != "train" for record in records]
    train = [record for record, out in zip(records, held, strict=True) if not out]
    rng = np.random.default_rng(config.seed)
    order = np.argsort(-_values(train, config, rng, configured(config) if steps is None else steps), kind="stable")
    queue = [train[i] for i in order], [record for record, out in zip(records, held, strict=True) if out]
    from_held = interleave(len(queue[0]), len(queue[1]), config.held_out_share, rng)
    streams = iter(queue[0]), iter(queue[1])
    n = len(records)
    return {next(streams[out]).id: (n - rank) / n for rank, out in enumerate(from_held.tolist())}


def uncertainties(pending: Sequence[Pending], config: SelectionConfig) -> dict[str, float]:
    """How uncertain the model is about each scored record, by the configured measure; by `mnlp` under `random`.

    Args:
        pending: Records, scored or not.
        config: The strategy.

    Returns:
        The measure's value by record id, for the records that have one.
    """
    name = "mnlp" if config.strategy == "random" else config.strategy
    values = getattr(columns(pending), name)
    return {r.id: float(v) for r, v in zip(pending, values, strict=True) if np.isfinite(v)}


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


def _values(
    records: Sequence[Pending], config: SelectionConfig, rng: np.random.Generator, steps: Sequence[Step]
) -> FloatArray:
    """The records' final values; records without a score come after all others, in the order given."""
    table = columns(records)
    raw = STRATEGIES[config.strategy](table, rng)
    usable = np.isfinite(raw)
    if records and not usable.any() and np.isfinite(table.n_words).any():
        raise ConfigError(
            f"selection.strategy: {config.strategy} needs statistics that the scoring pass did not make; choose another"
        )
    scored = [record for record, good in zip(records, usable, strict=True) if good]
    values = ranks(raw[usable])
    for step in steps:
        values = step(values, scored)
    final = np.full(len(records), -np.inf)
    final[usable] = values
    return final


def configured(config: SelectionConfig) -> list[Step]:
    """Make the steps; those that would change nothing are left out.

    Args:
        config: Cost, duplicates, groups and diversity.

    Returns:
        The steps; diversity comes last, because it looks at the order that the others made.
    """
    steps = [
        (config.cost_power > 0, per_word(config.cost_power)),
        (config.duplicate_factor < 1, damp_duplicates(config.duplicate_factor)),
        (config.group_factor < 1, damp_groups(config.group_factor)),
        (config.diversity_weight > 0, diversify(config.diversity_weight)),
    ]
    return [step for wanted, step in steps if wanted]
