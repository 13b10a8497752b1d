"""Attention for training on CPUs: PyTorch's fused kernel in fp32, whatever the precision around it.

For 16 windows of 24 to 256 tokens on one core, forward and backward, the fused kernel in bf16 takes 3 to 7 times as
long as in fp32, and with dropout on the attention weights there is no fused kernel at all: 4 times as long at 256
tokens. So there is no dropout here, which makes no difference to F1 that could be measured; activations keep theirs.
"""

from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

NAME = "spanloop_cpu_training"


def use_fast_attention(model: Any) -> None:
    """Let a model on a CPU train with this attention, where its architecture has PyTorch's fused attention at all."""
    if model.config._attn_implementation == "sdpa" and model._can_set_attn_implementation():
        model.set_attn_implementation(NAME)


def _attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    dropout: float = 0.0,
    **others: Any,
) -> tuple[torch.Tensor, None]:
    """As `sdpa_attention_forward` of transformers, in fp32 and without `dropout`."""
    with torch.autocast("cpu", enabled=False):
        q, k, v = query.float(), key.float(), value.float()
        out, _ = sdpa_attention_forward(module, q, k, v, attention_mask, dropout=0.0, **others)
    return out, None


AttentionInterface.register(NAME, _attention)
AttentionMaskInterface.register(NAME, sdpa_mask)
