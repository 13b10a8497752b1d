"""Constrained decoding equals brute force over all valid sequences."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanloop.model.viterbi import decode


def is_valid(tags):
    """IOB2: an even tag above 0 (I-x) follows the same tag or the one below it (B-x)."""
    before = 0
    for tag in tags:
        if tag > 0 and tag % 2 == 0 and before not in (tag, tag - 1):
            return False
        before = tag
    return True


def brute_force(logprobs):
    n, n_tags = logprobs.shape
    valid = (t for t in itertools.product(range(n_tags), repeat=n) if is_valid(t))
    return max(sum(logprobs[i, tag] for i, tag in enumerate(tags)) for tags in valid)


def random_logprobs(seed, n, labels):
    logits = np.random.default_rng(seed).normal(scale=3, size=(n, 2 * labels + 1))
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 5), labels=st.integers(1, 2))
def test_the_best_valid_sequence_is_found(seed, n, labels):
    logprobs = random_logprobs(seed, n, labels)
    tags = decode(logprobs, np.array([n]))
    assert is_valid(tags)
    assert sum(logprobs[i, t] for i, t in enumerate(tags)) == pytest.approx(brute_force(logprobs))


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), lengths=st.lists(st.integers(0, 9), max_size=12))
def test_a_batch_decodes_each_record_as_if_alone(seed, lengths):
    logprobs = random_logprobs(seed, sum(lengths), 3)
    together = decode(logprobs, np.array(lengths, dtype=np.intp))
    alone = [decode(part, np.array([len(part)])) for part in np.split(logprobs, np.cumsum(lengths))[:-1]]
    assert together.tolist() == [int(t) for tags in alone for t in tags]


def test_a_lonely_inside_tag_is_repaired_by_what_scores_best():
    logprobs = np.log([[0.6, 0.1, 0.3], [0.05, 0.05, 0.9]])  # O then I-x: not valid
    assert decode(logprobs, np.array([2])).tolist() == [1, 2]  # 0.1 * 0.9 beats 0.6 * 0.05


def test_no_words_no_tags():
    assert decode(np.empty((0, 3)), np.array([0])).tolist() == []
