"""The encoder's linear layers as oneDNN multiplies them on CPUs: weights laid out once, bias and GELU on the way out.

PyTorch hands fp32 products to its BLAS, with passes of their own over the result for bias and activation. oneDNN has
kernels made for the processor at hand and takes the three in one (`docs/lab-notes.md` has the gain). Figures differ in
the order of summation only.
"""

import logging
from typing import Any

import torch
from torch import nn
from transformers.activations import GELUActivation

log = logging.getLogger(__name__)

_TOLERANCE = 1e-4  # of the largest figure


class PackedLinear(nn.Module):
    """A linear layer, with GELU behind it if asked for, in oneDNN's own layout."""

    def __init__(self, linear: nn.Linear, tokens: int, *, gelu: bool = False) -> None:
        """Lay out a layer's weights.

        Args:
            linear: The layer, in fp32; its weights are copied.
            tokens: Tokens of the usual batch: the layout is best for that many, and right for any.
            gelu: Whether exact GELU follows.
        """
        super().__init__()
        self._weight = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), tokens)
        self._bias = None if linear.bias is None else linear.bias.detach()
        self._after: tuple[str, list[float], str] = ("gelu", [], "none") if gelu else ("none", [], "")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the layer.

        Args:
            x: `(…, in_features)`, fp32.

        Returns:
            `(…, out_features)`, fp32.
        """
        out: torch.Tensor = torch.ops.mkldnn._linear_pointwise(x, self._weight, self._bias, *self._after)
        return out


def pack(model: Any, tokens: int) -> None:
    """Replace the linear layers of the model's encoder, in place, where this build of PyTorch has oneDNN.

    Each new layer is held against the one it replaces; the first that fails ends it, and the rest stays as it is.

    Args:
        model: A `PreTrainedModel` in fp32 on the CPU.
        tokens: Tokens of the usual batch.
    """
    try:
        with torch.inference_mode():
            for block in list(model.base_model.modules()):
                _pack_children(block, tokens)
    except Exception as error:  # operators that PyTorch keeps for its own compiler: other versions may raise anything
        log.info("score: the linear layers stay PyTorch's own, those of oneDNN do not work here (%r)", error)


def _pack_children(block: nn.Module, tokens: int) -> None:
    children = list(block.named_children())
    match children:
        case [(name, nn.Linear() as linear), (act, GELUActivation())]:  # as BERT and its kin have it
            setattr(block, name, _proven(block, PackedLinear(linear, tokens, gelu=True)))
            setattr(block, act, nn.Identity())
            return
    for name, child in children:
        if type(child) is nn.Linear:
            setattr(block, name, _proven(child, PackedLinear(child, tokens)))


def _proven(old: nn.Module, new: PackedLinear) -> PackedLinear:
    linear = next(module for module in old.modules() if isinstance(module, nn.Linear))
    x = torch.linspace(-3, 3, 5 * linear.in_features).view(5, -1)
    wanted, found = old(x), new(x)
    if not (found - wanted).abs().max() <= _TOLERANCE * wanted.abs().max():
        raise ArithmeticError("other figures than those of the plain layer")
    return new
