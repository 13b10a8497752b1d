"""One update step: micro-batches that fit the device, their gradients added up, over all processes too."""

import logging
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from torch.nn.functional import cross_entropy

from spanloop.encoding import Encoder
from spanloop.errors import TrainingError
from spanloop.training.batching import micro_batches, share
from spanloop.training.dropout import Masks
from spanloop.training.targets import IGNORED, Targets
from spanloop.windows import Ints

log = logging.getLogger(__name__)

_WIDTH_MULTIPLE = 8
"""Few widths of batches, because PyTorch's CPU kernels are made anew for every shape."""


class Stepper:
    """Computes the gradients of update steps.

    Attributes:
        lengths: (n_windows,) tokens of each window, special tokens included.
        max_tokens: Tokens a batch; halved when the device runs out of memory.
    """

    def __init__(
        self,
        model: Any,
        accelerator: Accelerator,
        encoder: Encoder,
        targets: Targets,
        *,
        weights: torch.Tensor | None,
        masks: Masks | None,
        max_windows: int,
        max_tokens: int,
    ) -> None:
        """Prepare the steps.

        Args:
            model: The token classifier on its device.
            accelerator: Device, precision and processes.
            encoder: The model's encoder.
            targets: The training data.
            weights: (n_tags,) weights of the tags in the loss; None: all equal.
            masks: The source of the model's dropout; None: PyTorch's own.
            max_windows: Most windows a batch.
            max_tokens: Most tokens a batch, padding included.
        """
        self._model, self._accelerator, self._encoder, self._targets = model, accelerator, encoder, targets
        self._weights = None if weights is None else weights.to(accelerator.device)
        self._masks, self._max_windows, self.max_tokens = masks, max_windows, max_tokens
        windows = targets.encoded.windows
        self.lengths = windows.lengths + len(encoder.prefix) + len(encoder.suffix)
        self._widths = -(-self.lengths // _WIDTH_MULTIPLE) * _WIDTH_MULTIPLE
        labelled = np.concatenate([[0], np.cumsum(targets.piece_tags != IGNORED)])
        self._labelled = labelled[windows.core_stop] - labelled[windows.core_start]

    def gradients(self, rows: Ints, seed: int, *, stop: bool = False) -> tuple[torch.Tensor, bool]:
        """Add the gradients of one step's mean loss to the parameters.

        Args:
            rows: The windows of the step, of all processes together.
            seed: Seeds dropout; the same for all processes.
            stop: Whether this process was told to stop.

        Returns:
            The mean loss a labelled token (on the device, of this process's share), and whether any process was told
            to stop.

        Raises:
            TrainingError: A single window does not fit the device.
        """
        accelerator = self._accelerator
        mine = share(rows, self.lengths, accelerator.process_index, accelerator.num_processes)
        scale = 1.0 / max(1, int(self._labelled[rows].sum()))
        while True:
            try:
                self._seed(seed + accelerator.process_index)
                loss = self._accumulate(mine, scale)
                break
            except (torch.OutOfMemoryError, RuntimeError) as error:
                if not _out_of_memory(error):
                    raise
            self._halve(mine)
        if accelerator.num_processes > 1:
            stop = self._add_up(stop)
        return loss, stop

    def _seed(self, seed: int) -> None:
        torch.manual_seed(seed)
        if self._masks:
            self._masks.seed(seed)

    def _accumulate(self, rows: Ints, scale: float) -> torch.Tensor:
        total = torch.zeros((), device=self._accelerator.device)
        for batch in micro_batches(rows, self._widths, self.max_tokens, self._max_windows):
            loss = self._loss(batch) * scale
            self._accelerator.backward(loss)
            total += loss.detach()
        return total

    def _loss(self, rows: Ints) -> torch.Tensor:
        """Summed loss of some windows' labelled pieces."""
        encoded, device = self._targets.encoded, self._accelerator.device
        batch = self._encoder.batch(encoded, rows, _WIDTH_MULTIPLE)
        start = encoded.windows.start[rows][:, None]
        piece = start + np.arange(batch.input_ids.shape[1])[None, :] - len(self._encoder.prefix)
        gold = self._tags(rows, piece)
        inputs = {name: _to(array, device) for name, array in batch.arguments.items()}
        logits, tags = self._model(**inputs).logits.float(), _to(gold, device)
        return cross_entropy(
            logits.flatten(0, 1), tags.flatten(), weight=self._weights, ignore_index=IGNORED, reduction="sum"
        )

    def _tags(self, rows: Ints, piece: Ints) -> Ints:
        """(n, width) targets; a piece counts only in the core of its window, so every word counts once."""
        windows = self._targets.encoded.windows
        core = (piece >= windows.core_start[rows][:, None]) & (piece < windows.core_stop[rows][:, None])
        return np.where(core, self._targets.piece_tags[np.where(core, piece, 0)], IGNORED)

    def _add_up(self, stop: bool) -> bool:
        """Sum the gradients of all processes in one message, the wish to stop with them."""
        parameters = [p for p in self._model.parameters() if p.requires_grad]
        device = self._accelerator.device
        parts = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        flat = torch.cat([*(part.flatten() for part in parts), torch.tensor([float(stop)], device=device)])
        flat = self._accelerator.reduce(flat, reduction="sum")
        for parameter, part in zip(parameters, flat[:-1].split([p.numel() for p in parameters]), strict=True):
            parameter.grad = part.view_as(parameter).clone()
        return bool(flat[-1] > 0)

    def _halve(self, rows: Ints) -> None:
        """Halve the batch after the device ran out of memory."""
        self._model.zero_grad(set_to_none=True)
        if self._accelerator.device.type == "cuda":
            torch.cuda.empty_cache()
        tried = next(micro_batches(rows, self._widths, self.max_tokens, self._max_windows))
        if len(tried) == 1:
            raise TrainingError(
                f"the device runs out of memory with one window of {int(self.lengths[tried[0]])} tokens; "
                "lower training.max_length or choose a smaller encoder"
            )
        self.max_tokens = len(tried) * int(self._widths[tried[0]]) // 2
        log.warning("train: the device ran out of memory; going on with %d tokens a batch", self.max_tokens)


def _to(array: Ints, device: torch.device) -> torch.Tensor:
    tensor = torch.from_numpy(array)
    if device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def _out_of_memory(error: BaseException) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
