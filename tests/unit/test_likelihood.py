"""The loss of training against all valid tag sequences, written out."""

from itertools import product

import numpy as np
import pytest
import torch

from spanloop.training.likelihood import chain_loss

N_TAGS = 5


def valid(tags: tuple[int, ...], before: int) -> bool:
    previous = (before, *tags)
    return all(b == 0 or b % 2 == 1 or a in (b, b - 1) for a, b in zip(previous, tags, strict=False))


def plain_loss(logits: torch.Tensor, tags: list[int], lengths: list[int], before: list[int]) -> torch.Tensor:
    """By enumeration."""
    loss, at = torch.zeros((), dtype=logits.dtype), 0
    for length, tag in zip(lengths, before, strict=True):
        log_p = logits[at : at + length].log_softmax(1)
        every = [t for t in product(range(N_TAGS), repeat=length) if valid(t, tag)]
        scores = [sum((log_p[i, x] for i, x in enumerate(t)), torch.zeros((), dtype=logits.dtype)) for t in every]
        gold = every.index(tuple(tags[at : at + length]))
        loss = loss + torch.logsumexp(torch.stack(scores), 0) - scores[gold]
        at += length
    return loss


@pytest.mark.parametrize(
    ("tags", "lengths", "before"),
    [
        ([0, 1, 2, 0], [4], [0]),
        ([2, 2, 0], [3], [1]),  # a window that begins inside a span
        ([4, 3], [2], [4]),
        ([1, 3, 4, 0, 2], [3, 0, 1, 1], [0, 0, 2, 2]),
        ([], [0], [0]),
    ],
)
def test_the_loss_and_its_gradient_are_those_of_all_valid_sequences(
    tags: list[int], lengths: list[int], before: list[int]
) -> None:
    torch.manual_seed(0)
    logits = torch.randn(len(tags), N_TAGS, dtype=torch.float64, requires_grad=True)
    other = logits.detach().clone().requires_grad_()
    wanted = plain_loss(logits, tags, lengths, before)
    found = chain_loss(other, np.array(tags, int), np.array(lengths), np.array(before), None)
    assert found.item() == pytest.approx(wanted.item(), abs=1e-6)
    if tags:
        wanted.backward()
        found.backward()
        assert torch.allclose(other.grad, logits.grad, atol=1e-6)


def test_weights_scale_the_pull_of_a_word() -> None:
    logits = torch.zeros(2, N_TAGS, requires_grad=True)
    given = np.array([0, 1]), np.array([1, 1]), np.zeros(2, int)
    plain = torch.autograd.grad(chain_loss(logits, *given, None), logits)[0]
    weighted = torch.autograd.grad(chain_loss(logits, *given, torch.tensor([0.5, 3.0])), logits)[0]
    assert torch.allclose(weighted, plain * torch.tensor([[0.5], [3.0]]), atol=1e-6)
