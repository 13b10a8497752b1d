"""Attention within windows that lie end to end in one row, so that no token of a forward pass is padding.

Registered as an attention function of transformers, so it serves every encoder that uses its attention interface and
takes position ids. Whether an encoder really does is not guessed from its name: see `model.probe`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from inspect import signature
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface

NAME = "spanloop_packed"


@dataclass(frozen=True, slots=True)
class RowLayout:
    """Where the windows of one row lie.

    Attributes:
        groups: `(windows, tokens in each)`, in the order of the row.
        offsets: Row offsets of the windows, with the row's length at the end, int32 `(n_windows + 1,)`, on the model's
            device; only there for a GPU's variable-length kernel.
        longest: Tokens of the longest window.
    """

    groups: tuple[tuple[int, int], ...]
    offsets: torch.Tensor | None
    longest: int


def attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    row_layout: RowLayout,
    dropout: float = 0.0,
    scaling: float | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Each token attends to the tokens of its own window.

    Args:
        module: The attention layer, unused.
        query: `(1, heads, tokens, size)`; so are `key` and `value`.
        key: Same shape.
        value: Same shape.
        attention_mask: Unused, the row layout says it all.
        row_layout: Where the windows lie.
        dropout: Share of the attention weights dropped.
        scaling: Factor on the scores; None: `size ** -0.5`.

    Returns:
        `(1, tokens, heads, size)`, and no weights.
    """
    q, k, v = (x[0].transpose(0, 1) for x in (query, key, value))  # (tokens, heads, size): a run of tokens is a view
    if row_layout.offsets is not None and not dropout:
        return _variable_length((q, k, v), row_layout.offsets, row_layout.longest, scaling), None
    parts, sizes = [], [windows * tokens for windows, tokens in row_layout.groups]
    for group, *runs in zip(row_layout.groups, *(x.split(sizes) for x in (q, k, v)), strict=True):
        a, b, c = (run.unflatten(0, group).transpose(1, 2) for run in runs)
        out = scaled_dot_product_attention(a, b, c, dropout_p=dropout, scale=scaling)
        parts.append(out.transpose(1, 2).flatten(0, 1))
    return (parts[0] if len(parts) == 1 else torch.cat(parts)).unsqueeze(0), None


def _variable_length(
    qkv: tuple[torch.Tensor, torch.Tensor, torch.Tensor], offsets: torch.Tensor, longest: int, scale: float | None
) -> torch.Tensor:
    """Flash attention over all windows in one kernel; one split, so that no window's result depends on the others."""
    from torch.nn.attention.varlen import varlen_attn

    q, k, v = (x.contiguous() for x in qkv)
    wanted: dict[str, Any] = {"scale": scale, "num_splits": 1}
    known = {name: value for name, value in wanted.items() if name in _parameters(varlen_attn)}
    out = varlen_attn(q, k, v, offsets, offsets, longest, longest, **known)
    return (out if isinstance(out, torch.Tensor) else out[0]).unsqueeze(0)


@cache
def _parameters(kernel: Callable[..., Any]) -> frozenset[str]:
    """What the kernel can be told; PyTorch before 2.13 makes no splits, and `probe` finds a scale that is missed."""
    return frozenset(signature(kernel).parameters)


AttentionInterface.register(NAME, attention)
