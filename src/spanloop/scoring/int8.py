"""Matrix products in int8 on CPUs: the encoder's linear layers, weights quantized once, activations as they come.

Weights are symmetric with a scale per output channel; the activations of a forward pass share one scale that is found
anew in every pass, so no calibration texts are needed. The head and the embeddings stay in fp32, as they are small and
sensitive. oneDNN does the products where PyTorch has it: it uses all 8 bits, where FBGEMM must leave one unused.

Two threads that apply one of PyTorch's int8 layers at the same time get wrong figures now and then, so there is a copy
for each.

The shared scale makes a record's figures depend a little on its company in the batch, as fp32 figures do not; a scale
for each token would not, but is slower (`docs/lab-notes.md`).
"""

import contextlib
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

from spanloop.errors import TrainingError, first_line


class Int8Linear(nn.Module):
    """A linear layer with int8 weights that quantizes its input on the way in.

    Attributes:
        weight: Shape and number format of the weights given, without their figures, for encoders that ask.
    """

    def __init__(self, linear: nn.Linear, engine: str, threads: int) -> None:
        """Quantize a layer.

        Args:
            linear: The layer; its weights are copied.
            engine: PyTorch's quantized engine.
            threads: Most threads that apply the layer at a time; each gets a copy.
        """
        super().__init__()
        self.weight = torch.empty_like(linear.weight, device="meta")
        weight = linear.weight.detach().float()
        scale = (weight.abs().amax(dim=1).clamp_min(1e-12) / 127).double()
        zeros = torch.zeros(len(scale), dtype=torch.int64)
        with warnings.catch_warnings():  # PyTorch means to drop quantized tensors some day; its int8 products need them
            warnings.simplefilter("ignore", UserWarning)
            quantized = torch.quantize_per_channel(weight, scale, zeros, 0, torch.qint8)
        bias = None if linear.bias is None else linear.bias.detach().float()
        self._free = deque(torch.ops.quantized.linear_prepack(quantized, bias) for _ in range(threads))
        self._reduce_range = engine != "onednn"

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the layer.

        Args:
            x: `(…, in_features)`, fp32.

        Returns:
            `(…, out_features)`, fp32.
        """
        packed = self._free.pop()
        try:
            out: torch.Tensor = torch.ops.quantized.linear_dynamic(x, packed, self._reduce_range)
        finally:
            self._free.append(packed)
        return out


def quantize(model: Any, threads: int, logits: Callable[[], torch.Tensor]) -> None:
    """Replace the linear layers of the model's encoder, in place; the head keeps its own.

    Args:
        model: A `PreTrainedModel` for token classification in fp32.
        threads: Most threads that run the model at a time.
        logits: Runs the model on some text.

    Raises:
        TrainingError: This build of PyTorch has no int8 products, or the encoder does not work with them.
    """
    try:
        with _engine() as engine:
            for module in list(model.base_model.modules()):
                for name, child in list(module.named_children()):
                    if type(child) is nn.Linear:
                        setattr(module, name, Int8Linear(child, engine, threads))
        logits()
    except (RuntimeError, AttributeError, IndexError, NotImplementedError) as error:
        reason = first_line(error)
        raise TrainingError(f"int8 does not work here ({reason}); set scoring.backend to torch") from None


@contextlib.contextmanager
def _engine() -> Iterator[str]:
    """The quantized engine to pack weights for: oneDNN, else what there is; the global setting is put back."""
    supported = [name for name in torch.backends.quantized.supported_engines if name != "none"]
    usual = torch.backends.quantized.engine
    chosen = next(name for name in ("onednn", "x86", "fbgemm", *supported) if name in supported)
    torch.backends.quantized.engine = chosen
    try:
        yield chosen
    finally:
        torch.backends.quantized.engine = usual
