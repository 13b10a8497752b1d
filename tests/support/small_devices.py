"""Devices with little memory: forward passes of more tokens than fit fail as they do on real ones."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from transformers import PreTrainedModel


def of_cuda() -> None:
    """As CUDA's allocator says it."""
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


def of_mps() -> None:
    """As the allocator of Apple's GPUs says it."""
    raise RuntimeError(
        "MPS backend out of memory (MPS allocated: 8.00 GB, max allowed: 9.07 GB). Tried to allocate 2 GB"
    )


def of_cpu() -> None:
    """PyTorch's own error, by asking a CPU for more than any has."""
    torch.empty(2**60, dtype=torch.uint8)


OUT_OF_MEMORY = (of_cuda, of_mps, of_cpu)


def limit_memory(
    monkeypatch: pytest.MonkeyPatch, model: type[PreTrainedModel], tokens: int, fail: Callable[[], None] = of_cuda
) -> list[int]:
    """Give a kind of model room for so many tokens, padding included; returns the sizes that are tried, as they are."""
    sizes: list[int] = []
    original = model.forward

    def forward(self: Any, input_ids: torch.Tensor, **inputs: Any) -> Any:
        sizes.append(input_ids.numel())
        if sizes[-1] > tokens:
            fail()
        return original(self, input_ids=input_ids, **inputs)

    monkeypatch.setattr(model, "forward", forward)
    return sizes
