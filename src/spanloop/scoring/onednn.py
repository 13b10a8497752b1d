"""The encoder's linear layers as oneDNN multiplies them on CPUs: weights laid out once, bias and GELU on the way out.

PyTorch hands fp32 products to its BLAS, with passes of their own over the result for bias and activation. oneDNN has
kernels made for the processor at hand and takes the three in one (`docs/lab-notes.md` has the gain). Figures differ in
the order of summation only.
"""

import logging
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from transformers.activations import GELUActivation

log = logging.getLogger(__name__)

_LAYER, _MODEL = 1e-4, 2e-3  # largest difference, as a share of the largest figure


class PackedLinear(nn.Module):
    """A linear layer, with GELU behind it if asked for, in oneDNN's own layout.

    Attributes:
        weight: Shape and number format of the weights, without their figures, for encoders that ask.
    """

    def __init__(self, linear: nn.Linear, tokens: int, *, gelu: bool = False) -> None:
        """Lay out a layer's weights.

        Args:
            linear: The layer, in fp32; its weights are copied.
            tokens: Tokens of the usual batch: the layout is best for that many, and right for any.
            gelu: Whether exact GELU follows.
        """
        super().__init__()
        self.weight = torch.empty_like(linear.weight, device="meta")
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


def pack(model: Any, tokens: int, logits: Callable[[], torch.Tensor]) -> None:
    """Replace the linear layers of the model's encoder, in place, where this build of PyTorch has oneDNN.

    Each new layer is held against the one it replaces, and the whole model against what it was: some encoders do more
    with a layer than apply it. Where either fails, all stays as it was.

    Args:
        model: A `PreTrainedModel` in fp32 on the CPU.
        tokens: Tokens of the usual batch.
        logits: Runs the model on some text.
    """
    replaced: list[tuple[nn.Module, str, nn.Module]] = []
    try:
        with torch.inference_mode():
            wanted = logits()
            for block in list(model.base_model.modules()):
                for name, new in _packed_children(block, tokens):
                    replaced.append((block, name, getattr(block, name)))
                    setattr(block, name, new)
            _compare(logits(), wanted, _MODEL)
    except Exception as error:  # operators that PyTorch keeps for its own compiler: other versions may raise anything
        log.info("score: the linear layers stay PyTorch's own, those of oneDNN do not work here (%r)", error)
        for block, name, old in replaced:
            setattr(block, name, old)


def _packed_children(block: nn.Module, tokens: int) -> list[tuple[str, nn.Module]]:
    children = list(block.named_children())
    match children:
        case [(name, nn.Linear() as linear), (act, GELUActivation())]:  # as BERT and its kin have it
            return [(name, _proven(block, PackedLinear(linear, tokens, gelu=True))), (act, nn.Identity())]
    linears = [(name, child) for name, child in children if type(child) is nn.Linear]
    return [(name, _proven(linear, PackedLinear(linear, tokens))) for name, linear in linears]


def _proven(old: nn.Module, new: PackedLinear) -> PackedLinear:
    linear = next(module for module in old.modules() if isinstance(module, nn.Linear))
    x = torch.linspace(-3, 3, 5 * linear.in_features).view(5, -1)
    _compare(new(x), old(x), _LAYER)
    return new


def _compare(found: torch.Tensor, wanted: torch.Tensor, tolerance: float) -> None:
    if not (found - wanted).abs().max() <= tolerance * wanted.abs().max():
        raise ArithmeticError("other figures than those of the plain layers")
