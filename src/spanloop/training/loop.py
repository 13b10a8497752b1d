"""The training loop: steps, checkpoints, reports. Its schedule is fixed, and its last weights are the model's."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from accelerate import Accelerator

from spanloop.errors import TrainingError
from spanloop.model.ragged import Ints
from spanloop.training.batching import epoch_steps
from spanloop.training.checkpoint import Checkpoint, TrainingState
from spanloop.training.outcome import Report, TrainProgress
from spanloop.training.recipe import Schedule
from spanloop.training.step import Stepper
from spanloop.training.stopping import StopWish

if TYPE_CHECKING:
    from spanloop.config import TrainingConfig

CHECKPOINT_SECONDS = 60.0
"""Time between checkpoints: what a kill costs at most, besides the step it hits."""
_REPORT_STEPS = 10


@dataclass(slots=True)
class Loop:
    """One training, from its state to its end.

    Attributes:
        windows: The windows that are trained on.
        steps_before: Update steps of the job's trainings before this one.
        steps_of_all: Update steps of all its trainings.
    """

    accelerator: Accelerator
    model: Any
    optimizer: Any
    stepper: Stepper
    windows: Ints
    schedule: Schedule
    config: "TrainingConfig"
    checkpoint: Checkpoint
    state: TrainingState
    report: Report
    stop: StopWish
    steps_before: int
    steps_of_all: int
    checkpoint_seconds: float = CHECKPOINT_SECONDS

    def run(self) -> TrainingState:
        """Train to the schedule's end.

        Returns:
            The final state.

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
            if stop or self._step % _REPORT_STEPS == 0 or state.step == self.schedule.steps:
                self._tell(losses)
            if stop or time.monotonic() - saved > self.checkpoint_seconds:
                self._save()
                saved = time.monotonic()
            if stop:
                raise TrainingError(
                    f"training was stopped at step {self._step} of {self.steps_of_all}; run again to resume"
                )
        return state

    @property
    def _step(self) -> int:
        """Update steps that the job has done."""
        return self.steps_before + self.state.step

    def _steps(self) -> Iterator[Ints]:
        """The windows of each step that is still to do."""
        state = self.state
        while state.step < self.schedule.steps:
            epoch, done = divmod(state.step, self.schedule.per_epoch)
            steps = epoch_steps(len(self.windows), self.schedule.windows, self.config.seed, epoch)
            for rows in steps[done:]:
                if state.step < self.schedule.steps:
                    yield self.windows[rows]

    def _update(self, rows: Ints) -> tuple[torch.Tensor, bool]:
        state = self.state
        self.model.train()
        seed = (self.config.seed * 1_000_003 + state.step) * 64 % (2**62)
        loss, stop = self.stepper.gradients(rows, seed, stop=self.stop.asked)
        self.accelerator.clip_grad_norm_(self.model.parameters(), self.config.max_grad_norm)
        factor = self.schedule.factor(state.step)
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
        state, step = self.state, self._step
        loss = float(torch.stack(losses).mean()) * self.accelerator.num_processes
        losses.clear()
        if not np.isfinite(loss):
            raise TrainingError(
                f"the loss is {loss} at step {step}; lower training.learning_rate, or set mixed_precision to 'no'"
            )
        seconds = max(state.seconds, 1e-9)
        rate = self.optimizer.param_groups[0]["lr"]
        progress = TrainProgress(
            step=step,
            max_steps=self.steps_of_all,
            loss=loss,
            learning_rate=rate,
            tokens_per_second=state.tokens / seconds,
            seconds_left=(self.steps_of_all - step) * seconds / state.step,
        )
        self.accelerator.log({"loss": loss, "learning_rate": rate}, step=state.step)
        if self.accelerator.is_main_process:
            self.report(progress)

    def _save(self) -> None:
        if self.accelerator.is_main_process:
            self.checkpoint.save(self.state, self.model, self.optimizer, self.accelerator.scaler)
