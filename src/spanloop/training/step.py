"""One update step: batches that fit the device, their gradients added up, over all processes too."""

import numpy as np
import torch
from accelerate import Accelerator

from spanloop.model.encoding import Encoder
from spanloop.model.exhaustion import halve, out_of_memory
from spanloop.model.forward import Forward
from spanloop.model.layout import Batch, Layout, lay_out, words_of
from spanloop.model.ragged import Ints
from spanloop.training.batching import share
from spanloop.training.likelihood import tag_loss, word_loss
from spanloop.training.targets import IGNORED, Targets


class Stepper:
    """Computes the gradients of update steps.

    Attributes:
        lengths: (n_windows,) tokens of each window, special tokens included.
        max_tokens: Most tokens that a batch makes the device compute; halved when it runs out of memory.
    """

    def __init__(
        self,
        forward: Forward,
        accelerator: Accelerator,
        encoder: Encoder,
        targets: Targets,
        *,
        weights: torch.Tensor | None,
        max_windows: int,
        max_tokens: int,
    ) -> None:
        """Prepare the steps.

        Args:
            forward: The token classifier on its device.
            accelerator: Device, precision and processes.
            encoder: The model's encoder.
            targets: The training data.
            weights: (n_chains, n_tags) weights of the tags in the loss; None: all equal.
            max_windows: Most windows a batch.
            max_tokens: Most tokens a batch.
        """
        self._forward, self._accelerator, self._encoder, self._targets = forward, accelerator, encoder, targets
        self._weights = None if weights is None else weights.to(accelerator.device)
        self._max_windows, self.max_tokens = max_windows, max_tokens
        windows = targets.encoded.windows
        self.lengths = windows.lengths + len(encoder.prefix) + len(encoder.suffix)
        labelled = np.concatenate([[0], np.cumsum(targets.subword_tags[:, 0] != IGNORED)])
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
                torch.manual_seed(seed + accelerator.process_index)
                loss = self._accumulate(mine, scale)
                break
            except RuntimeError as error:
                if not out_of_memory(error):
                    raise
            self._forward.model.zero_grad(set_to_none=True)
            tried = self._lay_out(mine).batches[0]  # the largest, as long windows come first
            self.max_tokens = halve(accelerator.device, len(tried.sizes), tried.computed(self._forward.padding))
        if accelerator.num_processes > 1:
            stop = self._add_up(stop)
        return loss, stop

    def _accumulate(self, rows: Ints, scale: float) -> torch.Tensor:
        total = torch.zeros((), device=self._accelerator.device)
        layout = self._lay_out(rows)
        for batch in layout.batches:
            loss = self._loss(layout, batch) * scale
            self._accelerator.backward(loss)
            total += loss.detach()
        return total

    def _lay_out(self, rows: Ints) -> Layout:
        ends, encoded = (self._encoder.prefix, self._encoder.suffix), self._targets.encoded
        padding = self._forward.padding
        return lay_out(encoded, *ends, self.max_tokens, rows=rows, most_windows=self._max_windows, padding=padding)

    def _loss(self, layout: Layout, batch: Batch) -> torch.Tensor:
        """Summed loss of the words that a batch decides, and of their later subwords, in all chains.

        A word counts in one window only, so every word counts once.
        """
        targets, forward, scheme = self._targets, self._forward, self._targets.scheme
        logits = forward.batch(layout, batch)[0].float()
        subword = layout.subword[batch.start : batch.stop]
        word, token = words_of(targets.encoded, subword)
        starts = np.cumsum(batch.sizes) - batch.sizes
        lengths = np.diff(np.searchsorted(token, np.append(starts, len(subword))))
        gold, before = targets.word_tags[word], self._tags_before(word, lengths)
        loss = word_loss(
            scheme.end_to_end(logits[forward.send(token)]),
            scheme.end_to_end(gold).ravel(),
            scheme.sequences(lengths),
            scheme.end_to_end(before).ravel(),
            self._weights_of(gold),
        )
        later = np.where(subword[:, None] >= 0, targets.subword_tags[subword], IGNORED)
        later[token] = IGNORED
        all_later = forward.send(scheme.end_to_end(later).ravel())
        return loss + tag_loss(scheme.end_to_end(logits), all_later, self._weights_of(later))

    def _weights_of(self, tags: Ints) -> torch.Tensor | None:
        """The weights of tags, `(n, n_chains)`, chains end to end."""
        if self._weights is None:
            return None
        chains = np.arange(tags.shape[1])
        laid: torch.Tensor = self._targets.scheme.end_to_end(self._weights[chains, np.maximum(tags, 0)]).flatten()
        return laid

    def _tags_before(self, word: Ints, lengths: Ints) -> Ints:
        """(n_windows, n_chains) gold tags of the word before each window's first; 0 where its text begins there."""
        targets = self._targets
        before = np.zeros((len(lengths), targets.word_tags.shape[1]), dtype=np.int64)
        some = np.flatnonzero(lengths)
        first = word[(np.cumsum(lengths) - lengths)[some]]
        text_words = targets.encoded.text_words
        inside = text_words[np.searchsorted(text_words, first, side="right") - 1] < first
        before[some[inside]] = targets.word_tags[first[inside] - 1]
        return before

    def _add_up(self, stop: bool) -> bool:
        """Sum the gradients of all processes in one message, the wish to stop with them."""
        parameters = [p for p in self._forward.model.parameters() if p.requires_grad]
        device = self._accelerator.device
        parts = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        flat = torch.cat([*(part.flatten() for part in parts), torch.tensor([float(stop)], device=device)])
        flat = self._accelerator.reduce(flat, reduction="sum")
        for parameter, part in zip(parameters, flat[:-1].split([p.numel() for p in parameters]), strict=True):
            parameter.grad = part.view_as(parameter).clone()
        return bool(flat[-1] > 0)
