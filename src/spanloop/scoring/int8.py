"""Matrix products in int8 on CPUs: the encoder's linear layers, weights quantized once, activations as they come.

Symmetric, a scale per output channel of a weight and per token of an activation (as in ZeroQuant, Yao et al. 2022):
no calibration texts, an outlier spoils one token only, and a token's result does not depend on its batch. The head and
the embeddings stay in fp32, as they are small and sensitive.
"""

from typing import Any

import torch
from torch import nn

_BLOCK = 256  # tokens at a time, so that the int32 products stay in the processor's cache


class Int8Linear(nn.Module):
    """A linear layer with int8 weights that quantizes its input token by token."""

    def __init__(self, linear: nn.Linear) -> None:
        """Quantize a layer.

        Args:
            linear: The layer; its weights are copied.
        """
        super().__init__()
        weight = linear.weight.detach().float()
        scale = _scale(weight)
        self.weight: torch.Tensor
        self.scale: torch.Tensor
        self.register_buffer("weight", _quantize(weight, scale).t().contiguous())
        self.register_buffer("scale", scale.t().contiguous())
        self.bias = None if linear.bias is None else linear.bias.detach().float()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the layer.

        Args:
            x: `(…, in_features)`, fp32.

        Returns:
            `(…, out_features)`, fp32.
        """
        flat = x.reshape(-1, x.shape[-1])
        out = flat.new_empty(len(flat), self.weight.shape[1])
        for start in range(0, len(flat), _BLOCK):
            block = flat[start : start + _BLOCK]
            scale = _scale(block)
            product = torch._int_mm(_quantize(block, scale), self.weight)
            torch.mul(product, scale, out=out[start : start + _BLOCK]).mul_(self.scale)
        if self.bias is not None:
            out += self.bias
        return out.view(*x.shape[:-1], -1)


def quantize(model: Any) -> None:
    """Replace the linear layers of the model's encoder, in place; the head keeps its own.

    Args:
        model: A `PreTrainedModel` for token classification in fp32.
    """
    for module in model.base_model.modules():
        for name, child in module.named_children():
            if type(child) is nn.Linear:
                setattr(module, name, Int8Linear(child))


def _scale(rows: torch.Tensor) -> torch.Tensor:
    """What one step of int8 stands for in each row, `(n, 1)`."""
    largest: torch.Tensor = torch.linalg.vector_norm(rows, ord=float("inf"), dim=1, keepdim=True)
    return largest.clamp_min_(1e-12).div_(127)


def _quantize(rows: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    return torch.mul(rows, scale.reciprocal()).round_().to(torch.int8)
