"""Attention for training: within packed windows, without dropout on its weights, on CPUs in fp32 whatever is around it.

On CPUs PyTorch's fused kernel is several times slower in bf16, and there is none with dropout on the attention weights
(`docs/lab-notes.md`); activations keep theirs.
"""

from typing import Any

import torch
from transformers import AttentionInterface

from spanloop.model import packing

NAME = "spanloop_packed_training"


def fp32_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    row_layout: packing.RowLayout,
    dropout: float = 0.0,
    scaling: float | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """As `packing.attention`, but without `dropout`, and on CPUs in fp32."""
    if query.device.type != "cpu":
        return packing.attention(module, query, key, value, attention_mask, row_layout=row_layout, scaling=scaling)
    with torch.autocast("cpu", enabled=False):
        q, k, v = query.float(), key.float(), value.float()
        return packing.attention(module, q, k, v, attention_mask, row_layout=row_layout, scaling=scaling)


AttentionInterface.register(NAME, fp32_attention)
