"""Batches hold whole windows and make the device compute no more than the budget, padding included."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tiny_models import wordpiece

from spanloop.model.encoding import Encoder
from spanloop.model.layout import lay_out

ENCODER = Encoder(wordpiece(), 32, 8)


@given(
    words=st.lists(st.integers(0, 40), min_size=1, max_size=30),
    budget=st.integers(1, 200),
    padding=st.sampled_from([0, 1, 8]),
    most=st.integers(1, 9),
)
def test_a_batch_costs_the_budget_or_is_one_window(words: list[int], budget: int, padding: int, most: int) -> None:
    encoded = ENCODER.encode(["Ada " * count for count in words])
    batches = lay_out(encoded, [1], [2], budget, most_windows=most, padding=padding).batches
    assert sorted(np.concatenate([[0], *(b.sizes for b in batches)])[1:]) == sorted(encoded.windows.lengths + 2)
    for batch in batches:
        rows, longest = len(batch.sizes), max(batch.sizes)
        wanted = rows * -(-longest // padding) * padding if padding else sum(batch.sizes)
        assert batch.computed(padding) == wanted
        assert rows == 1 or (wanted <= budget and rows <= most)


@given(words=st.lists(st.integers(1, 20), min_size=2, max_size=9))
def test_two_halves_are_the_batch(words: list[int]) -> None:
    (batch,) = lay_out(ENCODER.encode(["Ada " * count for count in words]), [1], [2], 10_000).batches
    one, other = batch.halves()
    assert (one.start, one.stop, other.stop) == (batch.start, other.start, batch.stop)
    assert [*one.sizes, *other.sizes] == list(batch.sizes)
    assert 0 <= len(other.sizes) - len(one.sizes) <= 1
