"""Measures that count spans and labels equal brute force over all valid sequences."""

from itertools import chain as joined
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanloop.model import chain
from spanloop.model.viterbi import decode
from spanloop.scoring import uncertainty


def spans_of(tags):
    """Spans of one valid sequence as (first word, word behind, label)."""
    runs = chain.tag_runs(np.array(tags), np.array([len(tags)]))
    return frozenset(zip(runs.starts.tolist(), runs.ends.tolist(), runs.labels.tolist(), strict=True))


def distribution(p):
    """Every valid tag sequence with its probability."""
    n, n_tags = p.shape
    masses = {
        tags: float(np.prod([p[i, t] for i, t in enumerate(tags)]))
        for tags in product(range(n_tags), repeat=n)
        if all(t == 0 or t % 2 == 1 or b in (t, t - 1) for b, t in zip((0, *tags), tags, strict=False))
    }
    return {tags: mass / sum(masses.values()) for tags, mass in masses.items()}


def measured(p, lengths):
    """Expected errors and doubts by label of records laid end to end."""
    tags, total = decode(np.log(np.maximum(p, 1e-30)), lengths), chain.sum_product(p, lengths)
    runs = chain.tag_runs(tags, lengths)
    owners = np.searchsorted(np.cumsum(lengths), runs.starts, side="right")
    likely = chain.span_probabilities(p, total, runs)
    errors = uncertainty.expected_errors(total.marginals, likely, owners, lengths)
    return errors, uncertainty.label_doubt(total.marginals, tags, lengths), tags


def random_probabilities(seed, n, labels=2):
    return np.random.default_rng(seed).dirichlet(np.full(2 * labels + 1, 0.5), size=n)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 4))
def test_expected_errors_are_those_of_the_best_choice_among_the_spans_found(seed, n):
    p = random_probabilities(seed, n)
    errors, _, tags = measured(p, np.array([n]))
    found, sequences = spans_of(tags), distribution(p)
    choices = joined.from_iterable(combinations(found, size) for size in range(len(found) + 1))
    wanted = min(sum(mass * len(frozenset(s) ^ spans_of(y)) for y, mass in sequences.items()) for s in choices)
    assert errors.tolist() == pytest.approx([wanted])


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 4))
def test_doubt_of_a_label_is_that_of_the_words_taken_for_it(seed, n):
    p = random_probabilities(seed, n)
    _, doubts, tags = measured(p, np.array([n]))
    sequences, wanted = distribution(p), [0.0, 0.0, 0.0]
    for word, tag in enumerate(tags.tolist()):
        label = (tag + 1) // 2
        wanted[label] -= np.log(sum(mass for y, mass in sequences.items() if y[word] == tag))
    assert doubts.tolist() == [pytest.approx(wanted, abs=1e-12)]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), lengths=st.lists(st.integers(0, 6), min_size=1, max_size=8))
def test_a_record_is_measured_alike_alone_and_among_others(seed, lengths):
    p, sizes = random_probabilities(seed, sum(lengths)), np.array(lengths)
    errors, doubts, _ = measured(p, sizes)
    parts = np.split(p, np.cumsum(sizes)[:-1])
    alone = [measured(part, np.array([n])) for part, n in zip(parts, lengths, strict=True)]
    assert errors == pytest.approx([e[0] for e, *_ in alone])
    assert doubts == pytest.approx(np.concatenate([d for _, d, _ in alone]))


def test_a_model_that_is_sure_expects_no_error():
    p = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    errors, doubts, _ = measured(p, np.array([3]))
    assert errors.tolist() == pytest.approx([0.0], abs=1e-9)
    assert doubts.tolist() == [pytest.approx([0.0, 0.0], abs=1e-9)]
