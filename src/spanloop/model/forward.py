"""Run a token classifier over a layout: logits of its tokens, and hidden states for embeddings if asked.

All windows of a batch go through the encoder as one row without padding where the encoder can do that (`probe`), else
side by side with padding behind the shorter ones.
"""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import pairwise, starmap
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from spanloop.model import packing
from spanloop.model.exhaustion import halve, out_of_memory
from spanloop.model.layout import Batch, Layout
from spanloop.model.ragged import Ints

Singles = NDArray[np.float32]
_HEAD_DROPOUT = 0.1  # BERT's


@dataclass(slots=True)
class Forward:
    """A model ready to run.

    Attributes:
        model: A `PreTrainedModel` for token classification, on its device.
        device: That device.
        pad_id: The padding token's id.
        budget: Most tokens that a batch makes the device compute; halved when it runs out of memory.
        multiple: A packed row is filled up to a multiple of this: kernels that are made for a shape are made for few.
        first_position: Position id of a window's first token where windows are packed in one row; None: the encoder
            cannot do that.
        workers: Threads that run a batch each, side by side; None: one batch after the other.
        drops_at_head: Whether passes with dropout drop what the head reads, as the encoder has no dropout.
    """

    model: Any
    device: torch.device
    pad_id: int
    budget: int
    multiple: int = 1
    first_position: int | None = None
    workers: ThreadPoolExecutor | None = None
    drops_at_head: bool = False
    _hidden: threading.local = field(default_factory=threading.local)

    @property
    def padding(self) -> int:
        """Windows side by side are padded to a multiple of this, as Longformer does it; 0: they are packed."""
        if self.first_position is not None:
            return 0
        return int(np.max(getattr(self.model.config, "attention_window", None) or 1))

    def run(
        self,
        layout: Layout,
        word_token: Ints,
        owners: Ints | None = None,
        n_texts: int = 0,
        dropout_seed: int | None = None,
    ) -> "Outputs":
        """Start the forward passes of a layout; on a GPU they go on while the caller does other work.

        Args:
            layout: What to run.
            word_token: `(n_words,)` tokens whose logits are wanted, ascending.
            owners: `(n_tokens,)` text of each token that counts for that text's embedding, else -1; None: no
                embeddings.
            n_texts: Texts of the layout, where embeddings are asked for.
            dropout_seed: Run with dropout on, drawn with this seed; None: without dropout.
        """
        tokens = self.send(word_token)
        bounds = np.searchsorted(word_token, [0, *(batch.stop for batch in layout.batches)]).tolist()

        def outcome(batch: Batch, words: slice) -> tuple[torch.Tensor, torch.Tensor | None]:
            with torch.inference_mode():
                logits, hidden = self._in_parts(layout, batch)
                return logits.float()[tokens[words] - batch.start], hidden

        several = map if self.workers is None or dropout_seed is not None else self.workers.map
        logits, sums = [torch.zeros(0, self.model.config.num_labels, device=self.device)], None
        if owners is not None:
            sums = torch.zeros(n_texts + 1, self.model.config.hidden_size, device=self.device)
        with torch.inference_mode(), self.dropout(dropout_seed), self._keeping(sums is not None):
            outcomes = several(outcome, layout.batches, starmap(slice, pairwise(bounds)))
            for batch, (wanted, hidden) in zip(layout.batches, outcomes, strict=True):
                logits.append(wanted)
                if sums is not None and hidden is not None and owners is not None:
                    owner = self.send(owners[batch.start : batch.stop] % (n_texts + 1))  # -1: the row behind the texts
                    sums.index_add_(0, owner, hidden.float())
            return Outputs(_fetch(torch.cat(logits)), None if sums is None else _fetch(sums[:n_texts]), self._mark())

    def batch(self, layout: Layout, batch: Batch) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Run the forward pass of one batch of a layout.

        Returns:
            Logits of the batch's tokens, `(n_tokens, n_tags)`, and their last hidden states, `(n_tokens, hidden_size)`,
            or None where `run` does not keep them.
        """
        inputs, kept = self._padded(layout, batch) if self.first_position is None else self._packed(layout, batch)
        logits = self.model(**inputs).logits.flatten(0, 1)[kept]
        hidden = vars(self._hidden).pop("last", None)
        return logits, None if hidden is None else hidden.flatten(0, 1)[kept]

    def _in_parts(self, layout: Layout, batch: Batch) -> tuple[torch.Tensor, torch.Tensor | None]:
        """As `batch`; in halves where the device runs out of memory."""
        try:
            return self.batch(layout, batch)
        except RuntimeError as error:
            if not out_of_memory(error):
                raise
        tokens = halve(self.device, len(batch.sizes), batch.computed(self.padding))
        self.budget = min(self.budget, tokens)
        logits, hidden = zip(*(self._in_parts(layout, half) for half in batch.halves()), strict=True)
        return torch.cat(logits), None if hidden[0] is None else torch.cat(hidden)

    def _packed(self, layout: Layout, batch: Batch) -> tuple[dict[str, Any], slice]:
        """The inputs as one row, and where in it the tokens are."""
        run, count = slice(batch.start, batch.stop), batch.stop - batch.start
        spare = -count % self.multiple
        groups = (*batch.groups, (1, spare)) if spare else batch.groups
        inputs = {"input_ids": layout.ids[run], "position_ids": layout.position[run] + (self.first_position or 0)}
        if layout.surface is not None:
            inputs["token_type_ids"] = layout.surface[run]
        row = {name: self.send(np.pad(tokens, (0, spare)))[None] for name, tokens in inputs.items()}
        return {**row, "row_layout": self._row_layout(groups)}, slice(count)

    def _padded(self, layout: Layout, batch: Batch) -> tuple[dict[str, Any], torch.Tensor]:
        """The inputs with a row a window, and where in the flattened rows the tokens are."""
        run, sizes = slice(batch.start, batch.stop), batch.sizes
        shape = (len(sizes), int(sizes.max()))
        place = np.repeat(np.arange(len(sizes)) * shape[1], sizes) + layout.position[run]

        def rows(tokens: Ints | int, rest: int) -> torch.Tensor:
            flat = np.full(shape[0] * shape[1], rest, dtype=np.int64)
            flat[place] = tokens
            return self.send(flat.reshape(shape))

        inputs = {"input_ids": rows(layout.ids[run], self.pad_id), "attention_mask": rows(1, 0)}
        if layout.surface is not None:
            inputs["token_type_ids"] = rows(layout.surface[run], 0)
        return inputs, self.send(place)

    def _keeping(self, hidden: bool) -> AbstractContextManager[Any]:
        def keep(module: Any, inputs: Any, output: Any) -> None:
            self._hidden.last = output[0]

        return self.model.base_model.register_forward_hook(keep) if hidden else nullcontext()

    def _row_layout(self, groups: tuple[tuple[int, int], ...]) -> packing.RowLayout:
        longest = max(length for _, length in groups)
        if self.device.type != "cuda":
            return packing.RowLayout(groups, None, longest)
        sizes = np.repeat([length for _, length in groups], [count for count, _ in groups])
        offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
        return packing.RowLayout(groups, self.send(offsets), longest)

    @contextmanager
    def dropout(self, seed: int | None) -> Iterator[None]:
        """Dropout while inside, drawn with a seed; None: no dropout."""
        if seed is None:
            yield
            return
        forked = torch.random.fork_rng([self.device] if self.device.type == "cuda" else [])
        with forked, self.model.base_model.register_forward_hook(_drop) if self.drops_at_head else nullcontext():
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

    def send(self, array: NDArray[Any]) -> torch.Tensor:
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
        """Logits of the wanted tokens, `(n_words, n_tags)`."""
        self._wait()
        return np.asarray(self._logits.numpy())

    @property
    def sums(self) -> Singles | None:
        """Sums of the last hidden states of each text's subwords, `(n_texts, hidden_size)`; None if not asked for."""
        self._wait()
        return None if self._sums is None else np.asarray(self._sums.numpy())

    def _wait(self) -> None:
        if self._ready is not None:
            self._ready.synchronize()


def _drop(module: Any, inputs: Any, output: Any) -> Any:
    """Dropout behind the encoder, as BERT has it before its head."""
    output.last_hidden_state = torch.nn.functional.dropout(output.last_hidden_state, _HEAD_DROPOUT)
    return output


def _fetch(tensor: torch.Tensor) -> torch.Tensor:
    if tensor.device.type != "cuda":
        return tensor.cpu()
    host = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
    return host.copy_(tensor, non_blocking=True)
