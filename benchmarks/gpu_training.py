"""Training on a GPU: ours by windows a step, and transformers' Trainer beside it (see `benchmarks.gpu`)."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from accelerate import Accelerator
from transformers import (
    DataCollatorForTokenClassification,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from benchmarks.plain_settings import PlainTraining
from benchmarks.random_models import LABELS
from benchmarks.stopwatch import DeviceTime, Stopwatch
from spanloop.model.forward import Forward
from spanloop.model.quiet import quiet_transformers
from spanloop.records import Example
from spanloop.spans import tag_names
from spanloop.training import likelihood, step
from spanloop.training.job import Job, run_job
from spanloop.training.loop import Loop
from spanloop.training.pretrained import load_model
from spanloop.training.step import Stepper

_PHASES = {
    "step": (Loop, "_update"),
    "lay out": (Stepper, "_lay_out"),
    "forward": (Forward, "batch"),
    "loss (waits for the device)": (step, "word_loss"),
    "  chain": (likelihood, "_marginals"),
    "backward": (Accelerator, "backward"),
    "clip": (Accelerator, "clip_grad_norm_"),
}
_PROFILED = 10  # steps


class TrainingSpeed:
    """Ways to train on the same texts, each as real tokens a second, special tokens included and padding not."""

    def __init__(self, model: Path, texts: Sequence[Example], seconds: float, warm_up: int = 10) -> None:
        """Measure from the weights in a model folder, for about so many seconds a way, behind `warm_up` steps."""
        self._model, self._texts, self._pace = model, list(texts), (seconds, warm_up)

    def ours(self, windows: int, max_tokens: int, *, watched: bool = False) -> dict[str, Any]:
        """As a round trains, without folds.

        Args:
            windows: Windows a step.
            max_tokens: Most tokens a batch.
            watched: Also give the host's microseconds a token by phase, and the device's kernels.
        """
        clock = _Clock(*self._pace)
        watch = Stopwatch()
        with tempfile.TemporaryDirectory() as out, clock.watching(profiled=watched):
            config = PlainTraining(
                model_name_or_path=str(self._model), folds=0, num_train_epochs=1, min_steps=100_000,
                per_device_train_batch_size=windows, max_tokens_per_batch=max_tokens, surface_features=False,
            )  # fmt: skip
            with watch.watching(_PHASES if watched else {}):
                job = Job(self._texts, LABELS, config, Path(out), checkpoint_seconds=1e9)  # type: ignore[arg-type]
                _run_until_done(job)
        found = {**clock.figures, "windows_a_step": windows, "tokens_a_batch": max_tokens}
        if watched:
            found |= {**watch.per_token(clock.all_tokens), "device": clock.device.figures}
        return found

    def trainer(self, batch: int, **changes: Any) -> dict[str, Any]:
        """Trainer in the device's half precision, at its defaults but for the batch and `changes`."""
        loaded, tokenizer = load_model(str(self._model), tag_names(LABELS), 0)
        read = tokenizer([text.text for text in self._texts], truncation=True, max_length=256)
        rows = [{"input_ids": ids, "labels": [0] * len(ids)} for ids in read["input_ids"]]
        collator, pace = _Counting(DataCollatorForTokenClassification(tokenizer)), _Pace(*self._pace)
        with tempfile.TemporaryDirectory() as folder, quiet_transformers():
            on_gpu = torch.cuda.is_available()
            arguments = TrainingArguments(
                output_dir=folder, max_steps=100_000, per_device_train_batch_size=batch, bf16=on_gpu,
                use_cpu=not on_gpu, save_strategy="no", report_to=[], disable_tqdm=True, logging_strategy="no",
                dataloader_pin_memory=on_gpu, **changes,
            )  # fmt: skip
            trainer = Trainer(loaded, arguments, train_dataset=rows, data_collator=collator, callbacks=[pace])
            trainer.remove_callback(PrinterCallback)
            pace.tokens = collator
            trainer.train()
        return {**pace.figures, "texts_a_step": batch}


class _Done(Exception):
    """Enough was measured."""


def _run_until_done(job: Job) -> None:
    try:
        run_job(job)
    except _Done:
        return


class _Clock:
    """Times update steps of ours behind the first few, and ends the training when its time is over."""

    def __init__(self, seconds: float, warm_up: int) -> None:
        self._seconds, self._warm_up = seconds, warm_up
        self.device = DeviceTime()
        self.figures: dict[str, Any] = {}
        self.all_tokens = 0

    @contextmanager
    def watching(self, *, profiled: bool) -> Iterator[None]:
        """While inside, trainings are timed."""
        update, done, began, tokens = Loop._update, 0, 0.0, 0

        def timed(loop: Loop, rows: Any) -> Any:
            nonlocal done, began, tokens
            if done == self._warm_up:
                _wait()
                began, tokens = time.perf_counter(), loop.state.tokens
            result = update(loop, rows)
            done += 1
            self.all_tokens = loop.state.tokens
            if done > self._warm_up and time.perf_counter() - began > self._seconds:
                _wait()
                seconds, tokens = time.perf_counter() - began, loop.state.tokens - tokens
                self.figures = {
                    "tokens_per_second": tokens / seconds,
                    "steps_per_second": (done - self._warm_up) / seconds,
                    "packed": loop.stepper._forward.first_position is not None,
                }
                if profiled:
                    self.device.start()
                    for _ in range(_PROFILED):
                        update(loop, rows)
                    self.device.stop()
                raise _Done
            return result

        with patch.object(Loop, "_update", timed):
            yield


class _Counting:
    """A collator that counts the real tokens that it gives out."""

    def __init__(self, collator: Any) -> None:
        self._collator, self.count = collator, 0

    def __call__(self, rows: list[dict[str, Any]]) -> Any:
        self.count += sum(len(row["input_ids"]) for row in rows)
        return self._collator(rows)


class _Pace(TrainerCallback):
    """Times update steps of Trainer behind the first few, and ends the training when its time is over."""

    def __init__(self, seconds: float, warm_up: int) -> None:
        self._seconds, self._warm_up, self._began, self._first = seconds, warm_up, 0.0, 0
        self.tokens: Any = None
        self.figures: dict[str, Any] = {}

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step == self._warm_up:
            _wait()
            self._began, self._first = time.perf_counter(), self.tokens.count
        elif state.global_step > self._warm_up and time.perf_counter() - self._began > self._seconds:
            _wait()
            seconds = time.perf_counter() - self._began
            self.figures = {
                "tokens_per_second": (self.tokens.count - self._first) / seconds,
                "steps_per_second": (state.global_step - self._warm_up) / seconds,
            }
            control.should_training_stop = True


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
