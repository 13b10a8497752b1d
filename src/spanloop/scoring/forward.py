"""Run a token classifier over a plan: logits of its words, and hidden states for embeddings if asked.

All windows of a batch go through the encoder as one row without padding where the encoder can do that (`probe`), else
each group of windows of equal length as one batch, which needs no padding either.
"""

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from spanloop.scoring import packing
from spanloop.scoring.plan import Batch, Plan

log = logging.getLogger(__name__)

Singles = NDArray[np.float32]
_TOLERANCE = {torch.float32: 2e-3}  # of the largest logit: orders of summation differ by less, a wrong mask by 1e-1
_COARSE_TOLERANCE = 4e-2  # the same in half precision


@dataclass(slots=True)
class Forward:
    """A model ready to run.

    Attributes:
        model: A `PreTrainedModel` for token classification, in evaluation mode, on its device.
        device: That device.
        budget: Most tokens of a batch.
        first_position: Position id of a window's first token where windows are packed in one row; None: the encoder
            cannot do that, and groups of equal length go through it one by one.
    """

    model: Any
    device: torch.device
    budget: int
    first_position: int | None = None
    _hidden: list[torch.Tensor] = field(default_factory=list)

    def run(
        self, plan: Plan, owners: NDArray[np.int64] | None = None, n_texts: int = 0, dropout_seed: int | None = None
    ) -> "Outputs":
        """Start the forward passes of a plan; on a GPU they go on while the caller does other work.

        Args:
            plan: What to run.
            owners: `(n_tokens,)` text of each token that counts for that text's embedding, else -1; None: no
                embeddings.
            n_texts: Texts of the plan, where embeddings are asked for.
            dropout_seed: Run with dropout on, drawn with this seed; None: without dropout.
        """
        with torch.inference_mode(), self._dropout(dropout_seed):
            logits, sums = [torch.zeros(0, self.model.config.num_labels, device=self.device)], None
            if owners is not None:
                sums = torch.zeros(n_texts + 1, self.model.config.hidden_size, device=self.device)
            tokens = self._send(plan.word_token)
            for batch in plan.batches:
                output, hidden = self._batch(plan, batch, keep_hidden=sums is not None)
                logits.append(output.float()[tokens[batch.words] - batch.start])
                if sums is not None and hidden is not None and owners is not None:
                    owner = self._send(owners[batch.start : batch.stop] % (n_texts + 1))  # -1: the row behind the texts
                    sums.index_add_(0, owner, hidden.float())
            return Outputs(_fetch(torch.cat(logits)), None if sums is None else _fetch(sums[:n_texts]), self._mark())

    def _batch(self, plan: Plan, batch: Batch, *, keep_hidden: bool) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Logits of the batch's tokens, `(n_tokens, n_tags)`, and their last hidden states."""
        inputs = {"input_ids": self._send(plan.ids[batch.start : batch.stop])}
        if plan.case is not None:
            inputs["token_type_ids"] = self._send(plan.case[batch.start : batch.stop])
        hook = self.model.base_model.register_forward_hook(self._keep) if keep_hidden else None
        try:
            if self.first_position is None:
                parts = [self.model(**part).logits.flatten(0, 1) for part in _grouped(inputs, batch)]
                logits = parts[0] if len(parts) == 1 else torch.cat(parts)
            else:
                inputs["position_ids"] = self._send(plan.position[batch.start : batch.stop] + self.first_position)
                row = {name: tokens[None] for name, tokens in inputs.items()}
                logits = self.model(**row, layout=self._layout(batch)).logits[0]
            hidden = torch.cat([h.flatten(0, 1) for h in self._hidden]) if keep_hidden else None
        finally:
            self._hidden.clear()
            if hook:
                hook.remove()
        return logits, hidden

    def _keep(self, module: Any, inputs: Any, output: Any) -> None:
        self._hidden.append(output[0])

    def _layout(self, batch: Batch) -> packing.Layout:
        longest = max(length for _, length in batch.groups)
        if self.device.type != "cuda":
            return packing.Layout(batch.groups, None, longest)
        sizes = np.repeat([length for _, length in batch.groups], [count for count, _ in batch.groups])
        offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
        return packing.Layout(batch.groups, self._send(offsets), longest)

    @contextlib.contextmanager
    def _dropout(self, seed: int | None) -> Iterator[None]:
        if seed is None:
            yield
            return
        with torch.random.fork_rng([self.device] if self.device.type == "cuda" else []):
            torch.manual_seed(seed)
            self.model.train()
            try:
                yield
            finally:
                self.model.eval()

    def _mark(self) -> Any:
        if self.device.type != "cuda":
            return None
        event = torch.cuda.Event()
        event.record()
        return event

    def _send(self, array: NDArray[Any]) -> torch.Tensor:
        """Copy to the device; from pinned memory the host need not wait for it."""
        tensor = torch.from_numpy(array)
        if self.device.type != "cuda":
            return tensor.to(self.device)
        return tensor.pin_memory().to(self.device, non_blocking=True)


@dataclass(slots=True)
class Outputs:
    """Results that may still be on their way from the device; the properties wait for them."""

    _logits: torch.Tensor
    _sums: torch.Tensor | None
    _ready: Any

    @property
    def logits(self) -> Singles:
        """Logits in the order of `Plan.word`, `(n_words, n_tags)`."""
        self._wait()
        return np.asarray(self._logits.numpy())

    @property
    def sums(self) -> Singles | None:
        """Sums of the last hidden states of each text's pieces, `(n_texts, hidden_size)`; None if not asked for."""
        self._wait()
        return None if self._sums is None else np.asarray(self._sums.numpy())

    def _wait(self) -> None:
        if self._ready is not None:
            self._ready.synchronize()


def probe(forward: Forward, lengths: tuple[int, int], pad_id: int) -> int | None:
    """Find out whether the encoder gives packed windows the logits that it gives them alone.

    Encoders count positions from 0 or, as RoBERTa, from behind the padding id; some ignore position ids, or attend in
    a way of their own. Two windows of random tokens, one of them of full length, tell.

    Args:
        forward: The model, with the packed attention in place.
        lengths: Tokens of the two windows.
        pad_id: The padding token's id.

    Returns:
        The position id of a window's first token, or None where windows cannot be packed.
    """
    rng = np.random.default_rng(0)
    ids = rng.integers(pad_id + 1, forward.model.config.vocab_size, size=sum(lengths))
    position = np.concatenate([np.arange(n) for n in lengths])
    words = slice(0, 0)
    batch = Batch(0, len(ids), tuple((1, n) for n in lengths), words)
    plan = Plan(ids, position, (batch,), *[np.zeros(0, np.intp)] * 3)
    model, usual = forward.model, forward.model.config._attn_implementation
    if not model._can_set_attn_implementation():
        return None
    with torch.inference_mode():
        forward.first_position = None
        wanted = forward._batch(plan, batch, keep_hidden=False)[0].float()
        try:
            model.set_attn_implementation(packing.NAME)
            for first in (0, pad_id + 1):
                forward.first_position = first
                found = forward._batch(plan, batch, keep_hidden=False)[0].float()
                tolerance = _TOLERANCE.get(model.dtype, _COARSE_TOLERANCE)
                if (found - wanted).abs().max() <= tolerance * wanted.abs().max():
                    return first
        except Exception as error:  # whatever an architecture of unknown make raises: it is not for packing
            log.debug("packing does not work with %s: %r", type(model).__name__, error)
        model.set_attn_implementation(usual)
        forward.first_position = None
    return None


def _grouped(inputs: dict[str, torch.Tensor], batch: Batch) -> Iterator[dict[str, torch.Tensor]]:
    start = 0
    for count, length in batch.groups:
        stop = start + count * length
        yield {name: tokens[start:stop].view(count, length) for name, tokens in inputs.items()}
        start = stop


def _fetch(tensor: torch.Tensor) -> torch.Tensor:
    if tensor.device.type != "cuda":
        return tensor.cpu()
    host = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
    return host.copy_(tensor, non_blocking=True)
