"""The queue serves everything, and the held-out sample stays unbiased."""

from collections import Counter
from dataclasses import fields, replace

import numpy as np
import pytest

from spanloop.config import SelectionConfig, SplitConfig
from spanloop.errors import ConfigError, DataError
from spanloop.records import Statistics
from spanloop.selection import STRATEGIES, Pending, prioritise, uncertainties
from spanloop.selection.pool import shuffled
from spanloop.selection.queue import interleave

SPLITS = SplitConfig(validation=0.1, test=0.1)
STRATEGY = pytest.mark.parametrize("strategy", STRATEGIES)
MEASURES = [f.name for f in fields(Statistics) if f.name not in ("n_words", "label_doubt")]


def scored(n, seed=0, unscored=()):
    """n records with random statistics; the indices in `unscored` have none."""
    rng = np.random.default_rng(seed)
    values = rng.random((n, 5)).tolist()
    return [
        Pending(
            f"r{i}",
            f"g{i // 2}",
            f"text {i}",
            None if i in unscored else Statistics(10, a, b, c, 2 * a, d, bald=e),
        )
        for i, (a, b, c, d, e) in enumerate(values)
    ]


def train_only(queue, pending):
    groups = {r.id: r.group for r in pending}
    return [i for i in queue if SPLITS.split_of(groups[i]) == "train"]


def config(strategy, **more):
    return SelectionConfig(strategy=strategy, **more)


def in_order(priorities):
    return sorted(priorities, key=priorities.get, reverse=True)


@pytest.mark.parametrize("measure", MEASURES)
def test_the_named_measure_orders_the_training_records(measure):
    pending = scored(200)
    order = train_only(in_order(prioritise(pending, config(measure), SPLITS)), pending)
    values = {r.id: getattr(r.statistics, measure) for r in pending}
    assert order == sorted(order, key=values.get, reverse=True)


def test_a_value_that_is_no_number_is_no_score():
    pending = [Pending("nan", "g0", "", Statistics(3, *[float("nan")] * 5)), *scored(20)[2:]]
    order = train_only(in_order(prioritise(pending, config("mnlp"), SPLITS)), pending)
    assert order[-1] == "nan"


def test_without_any_score_everything_is_served_at_random():
    pending = scored(40, unscored=range(40))
    assert len(prioritise(pending, config("mnlp"), SPLITS)) == 40
    assert prioritise([], config("mnlp"), SPLITS) == {}


def test_bald_without_dropout_passes_says_so():
    pending = [replace(r, statistics=replace(r.statistics, bald=None)) for r in scored(20)]
    with pytest.raises(ConfigError, match="bald needs statistics that the scoring pass did not make"):
        prioritise(pending, config("bald"), SPLITS)


def test_an_id_that_stands_twice_is_named():
    with pytest.raises(DataError, match="'r3' is there twice"):
        prioritise([*scored(5), scored(5)[3]], config("mnlp"), SPLITS)


@pytest.mark.parametrize("share", [0.1, 0.2, 0.5])
def test_every_batch_has_its_held_out_share(share):
    places = interleave(4000, 4000, share, np.random.default_rng(0))[:2000]
    batches = places.reshape(-1, 100).sum(axis=1)
    assert (np.abs(batches - 100 * share) <= 2).all()


def test_a_share_of_nothing_or_everything_still_serves_all():
    rng = np.random.default_rng(0)
    assert interleave(3, 2, 0.0, rng).tolist() == [0, 0, 0, 1, 1]
    assert interleave(3, 2, 1.0, rng).tolist() == [1, 1, 0, 0, 0]
    assert interleave(0, 2, 0.2, rng).tolist() == [1, 1]
    assert interleave(2, 0, 0.2, rng).tolist() == [0, 0]


def test_held_out_records_keep_their_order_when_the_pool_changes():
    """New records and new scores never reorder the held-out stream: it depends on seed and id alone."""
    old, more = scored(300, seed=1), scored(500, seed=2)
    held = [r.id for r in old if SPLITS.split_of(r.group) != "train"]

    def stream(pending, strategy):
        return [i for i in in_order(prioritise(pending, config(strategy), SPLITS)) if i in held]

    assert len(held) > 30
    assert stream(old, "mnlp") == stream(more, "token_entropy") == stream(old[50:] + old[:50], "random")
    assert stream(old, "mnlp") == [r.id for r in shuffled(old, 0) if r.id in held]


def test_held_out_records_have_the_same_places_whatever_the_scores():
    old, new = scored(300, seed=1), scored(300, seed=2)
    held = {r.id for r in old if SPLITS.split_of(r.group) != "train"}

    def places(pending, **selection):
        queue = in_order(prioritise(pending, SelectionConfig(**selection), SPLITS))
        return [(place, i) for place, i in enumerate(queue) if i in held]

    wanted = places(old)
    assert all(places(new, strategy=strategy) == wanted for strategy in STRATEGIES)
    assert places(scored(300, unscored=range(300))) == wanted


def biased_pool(n, seed):
    """A pool in which 30 % of the records carry a rare label, and every measure is far higher for those."""
    rng = np.random.default_rng(seed)
    rare = rng.random(n) < 0.3
    scores = 0.1 * rng.random(n) + 0.8 * rare
    pending = [
        Pending(f"p{seed}-{i}", f"d{seed}-{i}", "", Statistics(9, s, s, s, s, s, s, {"": s}))
        for i, s in enumerate(scores.tolist())
    ]
    return pending, dict(zip([r.id for r in pending], rare.tolist(), strict=True))


@STRATEGY
def test_the_held_out_sample_is_unbiased_whatever_the_strategy(strategy):
    """Annotate the first 500 of 2,500 records, in 20 pools: the strategy floods the training records with the rare
    label, while its share among the held-out ones stays that of the pool (z-test, |z| < 3.3: p = 0.001).
    """
    seen = Counter()
    for seed in range(20):
        pending, rare = biased_pool(2500, seed)
        groups = {r.id: r.group for r in pending}
        for i in in_order(prioritise(pending, config(strategy, seed=seed), SPLITS))[:500]:
            seen[SPLITS.split_of(groups[i]) != "train", rare[i]] += 1
    held = seen[True, True] + seen[True, False]
    z = (seen[True, True] / held - 0.3) / (0.3 * 0.7 / held) ** 0.5
    train_share = seen[False, True] / (seen[False, True] + seen[False, False])
    assert held >= 1900
    assert abs(z) < 3.3
    assert train_share > 0.9 if STRATEGIES[strategy].is_measure else abs(train_share - 0.3) < 0.03


def test_uncertainty_is_the_configured_measure():
    pending = scored(5, unscored={2})
    assert uncertainties(pending, config("margin"), SPLITS) == {
        r.id: r.statistics.margin for r in pending if r.statistics
    }
    assert uncertainties(pending, config("random"), SPLITS) == {
        r.id: r.statistics.mnlp for r in pending if r.statistics
    }
