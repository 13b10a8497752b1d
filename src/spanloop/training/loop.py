"""The training loop: steps, evaluations, checkpoints, early stopping, reports."""

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import gather_object

from spanloop.config import TrainingConfig
from spanloop.errors import TrainingError
from spanloop.model.encoding import Encoder
from spanloop.model.forward import Forward
from spanloop.model.ragged import Floats, Ints
from spanloop.records import Example
from spanloop.training.batching import epoch_steps
from spanloop.training.checkpoint import Checkpoint, TrainingState
from spanloop.training.outcome import Report, TrainProgress
from spanloop.training.recipe import Schedule
from spanloop.training.step import Stepper
from spanloop.training.stopping import StopWish
from spanloop.training.targets import Targets
from spanloop.training.validation import f1, spans_of, word_logits

log = logging.getLogger(__name__)

CHECKPOINT_SECONDS = 60.0
"""Time between checkpoints: what a kill costs at most, besides the step it hits."""
_REPORT_STEPS = 10


@dataclass(frozen=True, slots=True)
class Validation:
    """What the model is judged on while it trains."""

    examples: Sequence[Example]
    targets: Targets
    labels: Sequence[str]


@dataclass(slots=True)
class Loop:
    """One training, from its state to its end."""

    accelerator: Accelerator
    model: Any
    optimizer: Any
    stepper: Stepper
    forward: Forward
    encoder: Encoder
    validation: Validation
    schedule: Schedule
    config: TrainingConfig
    checkpoint: Checkpoint
    state: TrainingState
    report: Report
    stop: StopWish
    checkpoint_seconds: float = CHECKPOINT_SECONDS

    def run(self) -> TrainingState:
        """Train to the schedule's end; once validation F1 no longer rises, let the learning rate fall and end there.

        Returns:
            The final state; the model then holds the best weights.

        Raises:
            TrainingError: The loss is not a number, or SIGTERM came (a checkpoint is kept then).
        """
        state, saved = self.state, time.monotonic()
        losses: list[torch.Tensor] = []
        began, earlier = time.monotonic(), state.seconds
        for rows in self._steps():
            loss, stop = self._update(rows)
            losses.append(loss)
            state.seconds = earlier + time.monotonic() - began
            due = state.step % self.schedule.evaluate_every == 0 or state.step == self._last_step()
            if due or stop or state.step % _REPORT_STEPS == 0:
                self._tell(losses)
            if due:
                self._evaluate()
            if stop or time.monotonic() - saved > self.checkpoint_seconds:
                self._save()
                saved = time.monotonic()
            if stop:
                raise TrainingError(
                    f"training was stopped at step {state.step} of {self.schedule.steps}; run again to resume"
                )
        state.seconds = earlier + time.monotonic() - began
        if state.best_weights is not None:
            self.model.load_state_dict(state.best_weights)
        return state

    def _steps(self) -> Iterator[Ints]:
        """The windows of each step that is still to do."""
        state = self.state
        while state.step < self._last_step():
            epoch, done = divmod(state.step, self.schedule.per_epoch)
            steps = epoch_steps(len(self.stepper.lengths), self.schedule.windows, self.config.seed, epoch)
            for rows in steps[done:]:
                if state.step < self._last_step():
                    yield rows

    def _last_step(self) -> int:
        """Where training ends: early stopping may bring it nearer while it runs."""
        return self.schedule.last_step(self.state.cooling_from)

    def _update(self, rows: Ints) -> tuple[torch.Tensor, bool]:
        state = self.state
        self.model.train()
        seed = (self.config.seed * 1_000_003 + state.step) * 64 % (2**62)
        loss, stop = self.stepper.gradients(rows, seed, stop=self.stop.asked)
        self.accelerator.clip_grad_norm_(self.model.parameters(), self.config.max_grad_norm)
        factor = self.schedule.factor(state.step, state.cooling_from)
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * factor
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        state.step += 1
        state.tokens += int(self.stepper.lengths[rows].sum())
        state.max_tokens = self.stepper.max_tokens
        return loss, stop

    def _tell(self, losses: list[torch.Tensor]) -> None:
        """Report the mean loss since the last report, and forget it."""
        if not losses:
            return
        state = self.state
        loss = float(torch.stack(losses).mean()) * self.accelerator.num_processes
        losses.clear()
        if not np.isfinite(loss):
            raise TrainingError(
                f"the loss is {loss} at step {state.step}; lower training.learning_rate, or set mixed_precision to 'no'"
            )
        speed = state.step / max(state.seconds, 1e-9)
        rate = self.optimizer.param_groups[0]["lr"]
        progress = TrainProgress(
            step=state.step,
            max_steps=self._last_step(),
            epoch=state.step / self.schedule.per_epoch,
            loss=loss,
            learning_rate=rate,
            validation_f1=state.history[-1]["validation_f1"] if state.history else None,
            tokens_per_second=state.tokens / max(state.seconds, 1e-9),
            seconds_left=(self._last_step() - state.step) / speed,
        )
        self.accelerator.log({"loss": loss, "learning_rate": rate}, step=state.step)
        if self.accelerator.is_main_process:
            self.report(progress)

    def _evaluate(self) -> None:
        if not self.validation.examples:
            return
        state = self.state
        score = f1(self.validation.examples, spans_of(self.validation.targets, self.logits(), self.validation.labels))
        state.history.append({"step": state.step, "validation_f1": score})
        self.accelerator.log({"validation_f1": score}, step=state.step)
        best = -1.0 if state.best_f1 is None else state.best_f1
        state.stale = 0 if score > best else state.stale + 1
        if score >= best:  # of equal ones the later, which is closer to the end of the schedule
            state.best_f1, state.best_step = score, state.step
            state.best_weights = {k: v.detach().cpu().clone() for k, v in self.model.state_dict().items()}
        patience = self.config.early_stopping_patience
        if patience and state.stale >= patience and state.step >= self.config.min_steps:
            state.cooling_from = state.cooling_from or state.step

    def logits(self) -> Floats:
        """(n_words, n_tags) logits of the validation words, the same on every process."""
        self.model.eval()
        accelerator, targets = self.accelerator, self.validation.targets
        mine = accelerator.process_index, accelerator.num_processes
        parts = [word_logits(self.forward, self.encoder, targets, *mine)]
        if accelerator.num_processes > 1:
            parts = gather_object(parts)
        found = np.zeros((len(targets.word_tags), parts[0][1].shape[1]), dtype=np.float32)
        for words, logits in parts:
            found[words] = logits
        return found

    def _save(self) -> None:
        if self.accelerator.is_main_process:
            self.checkpoint.save(self.state, self.model, self.optimizer, self.accelerator.scaler)
