"""The chain's exact figures equal brute force over all valid sequences."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanloop.model import chain
from spanloop.model.viterbi import decode


def is_valid(tags):
    before = (0, *tags)
    return all(t == 0 or t % 2 == 1 or b in (t, t - 1) for b, t in zip(before, tags, strict=False))


def all_sequences(p):
    """Every valid tag sequence with its (unnormalised) mass."""
    n, n_tags = p.shape
    return {
        tags: float(np.prod([p[i, t] for i, t in enumerate(tags)]))
        for tags in itertools.product(range(n_tags), repeat=n)
        if is_valid(tags)
    }


def runs_of(tags):
    runs = chain.tag_runs(np.array(tags), np.array([len(tags)]))
    return set(zip(runs.starts.tolist(), runs.ends.tolist(), runs.labels.tolist(), strict=True))


def random_probabilities(seed, n, labels=2):
    return np.random.default_rng(seed).dirichlet(np.full(2 * labels + 1, 0.5), size=n)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 4))
def test_every_figure_equals_brute_force(seed, n):
    p, lengths = random_probabilities(seed, n), np.array([n])
    masses = all_sequences(p)
    z = sum(masses.values())
    total, best = chain.sum_product(p, lengths), chain.max_product(p, lengths)
    assert np.exp(total.log_mass) == pytest.approx(z)
    assert np.exp(best.log_mass) == pytest.approx(max(masses.values()))

    for word, tag in np.ndindex(p.shape):
        through = [mass for tags, mass in masses.items() if tags[word] == tag]
        assert total.marginals[word, tag] == pytest.approx(sum(through) / z)
        assert best.marginals[word, tag] == pytest.approx(max(through, default=0) / max(masses.values()))

    tags = decode(np.log(p), lengths)
    second = chain.log_second_best(best.marginals, tags, best, lengths)
    assert np.exp(second) == pytest.approx(sorted(masses.values())[-2])

    runs = chain.tag_runs(tags, lengths)
    for run, probability in zip(sorted(runs_of(tags)), chain.span_probabilities(p, total, runs), strict=True):
        assert probability == pytest.approx(sum(m for t, m in masses.items() if run in runs_of(t)) / z)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), lengths=st.lists(st.integers(0, 8), min_size=1, max_size=10))
def test_a_batch_gives_each_record_the_figures_it_has_alone(seed, lengths):
    p, lengths = random_probabilities(seed, sum(lengths)), np.array(lengths)
    together = chain.sum_product(p, lengths)
    for part, n, log_mass, marginals in zip(
        np.split(p, np.cumsum(lengths)[:-1]),
        lengths,
        together.log_mass,
        np.split(together.marginals, np.cumsum(lengths)[:-1]),
        strict=True,
    ):
        alone = chain.sum_product(part, np.array([n]))
        assert log_mass == pytest.approx(alone.log_mass[0])
        assert marginals == pytest.approx(alone.marginals)


def test_certain_words_give_certain_spans_and_no_second_best():
    p = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    lengths = np.array([3])
    runs = chain.tag_runs(np.array([1, 2, 0]), lengths)
    assert chain.span_probabilities(p, chain.sum_product(p, lengths), runs) == pytest.approx([1.0])


def test_spans_end_where_their_record_ends():
    runs = chain.tag_runs(np.array([0, 1, 2, 1, 2, 0]), np.array([3, 3]))
    assert list(zip(runs.starts, runs.ends, runs.labels, strict=True)) == [(1, 3, 0), (3, 5, 0)]


def test_impossible_words_do_not_break_a_record():
    p = np.array([[0.0, 0.0, 1.0]])  # the only tag with mass is forbidden at the start
    assert np.isfinite(chain.sum_product(p, np.array([1])).marginals).all()
