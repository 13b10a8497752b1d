"""A device that runs out of memory: how it says so, and going on with half a batch, in training as in scoring."""

import logging

import torch

from spanloop.errors import TrainingError

log = logging.getLogger(__name__)

_SIGNS = ("out of memory", "can't allocate memory", "not enough memory", "ALLOC_FAILED")
"""How MPS, CPUs on Linux and macOS, CPUs on Windows, and cuBLAS put it, where it is no `torch.OutOfMemoryError`."""


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that the device has no memory left."""
    return isinstance(error, torch.OutOfMemoryError) or any(sign in str(error) for sign in _SIGNS)


def halve(device: torch.device, windows: int, tokens: int) -> int:
    """The tokens to go on with after a batch that was too large; call it when the error, with what it holds, is gone.

    Args:
        device: The device.
        windows: Windows of the batch.
        tokens: Tokens of the batch that the device computed, padding included.

    Raises:
        TrainingError: The batch was a single window.
    """
    if windows == 1:
        raise no_room(tokens)
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()
    log.warning("the device ran out of memory; going on with %d tokens a batch", tokens // 2)
    return tokens // 2


def no_room(tokens: int) -> TrainingError:
    """The error that not even one window of so many tokens fits."""
    return TrainingError(
        f"the device runs out of memory with one window of {tokens} tokens; "
        "lower training.max_length or choose a smaller encoder"
    )
