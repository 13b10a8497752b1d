"""Trials on two windows of random tokens: what an encoder can do is found out, not guessed from its name."""

import logging
from collections.abc import Callable

import numpy as np
import torch

from spanloop.model import packing
from spanloop.model.forward import Forward
from spanloop.model.layout import Batch, Layout

log = logging.getLogger(__name__)

_TOLERANCE = 2e-3  # of the largest figure: orders of summation differ by less, a wrong mask by 1e-1
_COARSE_TOLERANCE = 4e-2  # the same in half precision


def two_windows(forward: Forward, lengths: tuple[int, int]) -> Layout:
    """One batch of two windows of random tokens, any but padding; `lengths` are their tokens, the longer first."""
    ids = np.random.default_rng(0).integers(0, forward.model.config.vocab_size - 1, size=sum(lengths))
    ids += ids >= forward.pad_id
    position = np.concatenate([np.arange(n) for n in lengths])
    batch = Batch(0, len(ids), tuple((1, n) for n in lengths))
    return Layout(ids, position, np.full_like(ids, -1), (batch,))


def trial(forward: Forward, lengths: tuple[int, int]) -> torch.Tensor:
    """Logits of `two_windows`, `(n_tokens, n_tags)`, in fp32."""
    layout = two_windows(forward, lengths)
    with torch.inference_mode():
        return forward.batch(layout, layout.batches[0])[0].float()


def dropout_varies(forward: Forward, lengths: tuple[int, int]) -> bool:
    """Whether passes with dropout differ: some encoders have none, and nothing would be told apart by it."""
    outcomes = []
    for seed in (0, 1):
        with forward.dropout(seed):
            outcomes.append(trial(forward, lengths))
    return not torch.equal(*outcomes)


def probe(
    forward: Forward,
    lengths: tuple[int, int],
    attention: str = packing.NAME,
    *,
    exact: bool = True,
    trains: bool = False,
) -> None:
    """Find out whether the encoder gives packed windows what it gives them alone, and pack if it does.

    Encoders count positions from 0 or, as RoBERTa, from behind the padding id; some ignore position ids, or attend in
    a way of their own.

    Args:
        forward: The model; its attention and `first_position` are set.
        lengths: Tokens of the two windows, the first of full length.
        attention: Name of the packed attention.
        exact: Whether the model computes in single precision.
        trains: Whether the gradients must be the same too.

    Raises:
        Exception: Whatever the encoder raises on windows side by side: it cannot be used at all.
    """
    model, usual = forward.model, forward.model.config._attn_implementation
    forward.first_position = None
    outcome: Callable[[], torch.Tensor] = (
        (lambda: _gradients(forward, lengths)) if trains else (lambda: trial(forward, lengths))
    )
    wanted, tolerance = outcome(), _TOLERANCE if exact else _COARSE_TOLERANCE
    if not model._can_set_attn_implementation():
        return
    try:
        model.set_attn_implementation(attention)
        for first in _first_positions(forward, max(lengths)):
            forward.first_position = first
            if (outcome() - wanted).abs().max() <= tolerance * wanted.abs().max():
                return
    except Exception as error:  # whatever an architecture of unknown make raises: it is not for packing
        log.debug("packing does not work with %s: %r", type(model).__name__, error)
    model.set_attn_implementation(usual)
    forward.first_position = None


def _first_positions(forward: Forward, longest: int) -> list[int]:
    """Where encoders begin to count; a GPU does not survive a position that they have no row for."""
    known = getattr(forward.model.config, "max_position_embeddings", None) or 0
    return [first for first in (0, forward.pad_id + 1) if first + longest <= known or known <= 0]


def _gradients(forward: Forward, lengths: tuple[int, int]) -> torch.Tensor:
    """Gradients of all the weights that learn, end to end, of a loss that depends on every logit."""
    layout = two_windows(forward, lengths)
    forward.model.zero_grad(set_to_none=True)
    forward.batch(layout, layout.batches[0])[0].float().square().mean().backward()
    found = [p.grad.float().flatten() for p in forward.model.parameters() if p.grad is not None]
    forward.model.zero_grad(set_to_none=True)
    return torch.cat(found)
