"""Train one model in this process: read the data, build model and recipe, run the loop, save the folder."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, GradientState

from spanloop.config import TrainingConfig
from spanloop.errors import TrainingError
from spanloop.model.device import Device, find_device, set_threads
from spanloop.model.encoding import Encoder
from spanloop.model.forward import Forward
from spanloop.model.surface import Feature, dropped
from spanloop.records import Example
from spanloop.training.checkpoint import Checkpoint, TrainingState
from spanloop.training.families import try_out, vocabulary
from spanloop.training.loop import CHECKPOINT_SECONDS, Loop, Validation
from spanloop.training.outcome import Report, TrainResult
from spanloop.training.pretrained import load_model, longest_window
from spanloop.training.recipe import learning_rate, make_schedule, parameter_groups
from spanloop.training.saving import save_model
from spanloop.training.step import Stepper
from spanloop.training.stopping import sigterm_asks
from spanloop.training.targets import Targets, class_weights, make_targets
from spanloop.training.token_types import teach_surface
from spanloop.training.validation import fit_temperature

log = logging.getLogger(__name__)

_MULTIPLE = 32
"""Tokens of a batch on a CPU are a multiple of this: PyTorch makes the kernels of bf16 products anew for each shape."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be trained.

    Attributes:
        train: Training examples.
        validation: Validation examples; may be empty.
        labels: The label scheme.
        config: How to train.
        out: The model folder; the checkpoint lies in it while training.
        snapshot: The version of the data, for the model card.
        start: The encoder or model folder to start from.
        report: Called with the progress on the main process.
        checkpoint_seconds: Time between checkpoints.
    """

    train: Sequence[Example]
    validation: Sequence[Example]
    labels: Sequence[str]
    config: TrainingConfig
    out: Path
    snapshot: str = ""
    start: str = ""
    report: Report = field(default=lambda progress: None)
    checkpoint_seconds: float = CHECKPOINT_SECONDS

    @property
    def key(self) -> dict[str, Any]:
        """What the weights depend on, besides the windows of a step."""
        return {
            "config": self.config.model_dump(exclude={"report_to", "num_processes"}),
            "labels": list(self.labels),
            "snapshot": self.snapshot,
            "start": self.start,
            "train": [[e.id, e.text, [[s.start, s.end, s.label] for s in e.spans]] for e in self.train],
            "validation": [[e.id, e.text, [[s.start, s.end, s.label] for s in e.spans]] for e in self.validation],
        }


def run_job(job: Job) -> TrainResult:
    """Train a model and write its folder.

    Raises:
        TrainingError: There is nothing to train on, the encoder cannot be loaded, the loss is not a number, the device
            is too small, or SIGTERM came.
        LabelError: An example has a label that the scheme lacks.
        StoreError: The folder cannot be written.
    """
    _check(job)
    device = find_device(job.config.mixed_precision, training=True)
    accelerator = _accelerator(job, device)
    try:
        with sigterm_asks() as stop:
            return _Session(job, accelerator, device).run(stop)
    finally:
        accelerator.end_training()
        accelerator.free_memory()


class _Session:
    """Everything that one training needs, built once."""

    def __init__(self, job: Job, accelerator: Accelerator, device: Device) -> None:
        self._job, self._accelerator, self._device = job, accelerator, device
        self._threads = set_threads(accelerator.num_processes)
        config = job.config
        model, self._tokenizer = load_model(job.start or config.model_name_or_path, job.labels, config.seed)
        self._max_length = longest_window(model, self._tokenizer, config.max_length)
        features = dropped(self._tokenizer) if config.surface_features else ()
        self._features: tuple[Feature, ...] = features if features and teach_surface(model) else ()
        self._encoder = Encoder(self._tokenizer, self._max_length, config.stride, self._features)
        if config.freeze_embeddings:
            vocabulary(model).requires_grad_(False)
        self._model = accelerator.prepare_model(model, evaluation_mode=True)  # gradients are added up in Stepper
        self._forward = self._find_forward()
        self._train = self._targets(job.train)
        self._validation = Validation(job.validation, self._targets(job.validation), job.labels)
        if not len(self._train.encoded.windows):
            raise TrainingError("the training records hold no visible text; annotate records with text")

    def run(self, stop: Any) -> TrainResult:
        loop = self._loop(stop)
        self._announce(loop)
        state = loop.run()
        result = self._result(loop, state)
        if self._accelerator.is_main_process:
            self._save(result, state)
            loop.checkpoint.remove()
        self._accelerator.wait_for_everyone()
        return result

    def _find_forward(self) -> Forward:
        """Pack windows where the encoder learns the same from them."""
        accelerator, budget = self._accelerator, self._job.config.max_tokens_per_batch
        multiple = _MULTIPLE if accelerator.device.type == "cpu" else 1
        forward = Forward(self._model, accelerator.device, self._encoder.pad_id, budget, multiple)
        lengths = (self._max_length, min(7, self._max_length))
        self._model.eval()
        try_out(forward, lengths, exact=self._device.precision == "no")
        return forward

    def _targets(self, examples: Sequence[Example]) -> Targets:
        return make_targets(self._encoder, examples, self._job.labels, self._job.config.label_subwords)

    def _loop(self, stop: Any) -> Loop:
        job, accelerator = self._job, self._accelerator
        fused = accelerator.device.type in ("cuda", "cpu")
        groups = parameter_groups(self._model, job.config)
        optimizer = accelerator.prepare_optimizer(torch.optim.AdamW(groups, fused=fused))
        schedule = make_schedule(len(self._train.encoded.windows), job.config, accelerator.num_processes)
        checkpoint = Checkpoint(job.out / "checkpoint", {**job.key, "windows": schedule.windows})
        state = checkpoint.restore(self._model, optimizer, accelerator.scaler)
        if state and accelerator.is_main_process:
            log.info("train: resuming at step %d", state.step)
        state = state or TrainingState(max_tokens=job.config.max_tokens_per_batch)
        self._forward.budget = state.max_tokens
        return Loop(
            accelerator=accelerator,
            model=self._model,
            optimizer=optimizer,
            stepper=self._stepper(state.max_tokens),
            forward=self._forward,
            encoder=self._encoder,
            validation=self._validation,
            schedule=schedule,
            config=job.config,
            checkpoint=checkpoint,
            state=state,
            report=job.report,
            stop=stop,
            checkpoint_seconds=job.checkpoint_seconds,
        )

    def _stepper(self, max_tokens: int) -> Stepper:
        config, weights = self._job.config, None
        if config.class_weighting == "inverse_sqrt":
            weights = torch.from_numpy(class_weights(self._train.word_tags, 2 * len(self._job.labels) + 1))
        return Stepper(
            self._forward,
            self._accelerator,
            self._encoder,
            self._train,
            weights=weights,
            max_windows=config.per_device_train_batch_size,
            max_tokens=max_tokens,
        )

    def _announce(self, loop: Loop) -> None:
        if not self._accelerator.is_main_process:
            return
        config, windows = self._job.config, self._train.encoded.windows
        log.info(
            "train: %d records in %d windows, %s, %d processes, %d threads, %d windows a step, %d tokens a batch, "
            "%d steps, learning rate %.1e",
            *(len(self._job.train), len(windows), self._device, self._accelerator.num_processes, self._threads),
            *(loop.schedule.windows, loop.stepper.max_tokens),
            *(loop.schedule.steps, learning_rate(self._model, config)),
        )
        for lost in self._train.lost:
            log.warning(
                "train: record %s: span %d-%d (%s)", lost.record_id, lost.span.start, lost.span.end, lost.reason
            )

    def _result(self, loop: Loop, state: TrainingState) -> TrainResult:
        temperature = 1.0
        if self._job.validation:
            temperature = fit_temperature(loop.logits(), self._validation.targets.word_tags)
        return TrainResult(
            device=self._accelerator.device.type,
            precision=self._device.precision,
            steps=state.step,
            epochs=state.step / loop.schedule.per_epoch,
            seconds=state.seconds,
            tokens_per_second=state.tokens / max(state.seconds, 1e-9),
            validation_f1=state.best_f1,
            temperature=temperature,
            best_step=state.best_step or state.step,
            lost_spans=len(self._train.lost),
        )

    def _save(self, result: TrainResult, state: TrainingState) -> None:
        job = self._job
        save_model(
            job.out,
            self._accelerator.unwrap_model(self._model, keep_fp32_wrapper=False),
            self._tokenizer,
            labels=job.labels,
            max_length=self._max_length,
            surface_features=self._features,
            snapshot=job.snapshot,
            base=job.start or job.config.model_name_or_path,
            config=job.config,
            result=result,
            counts={"train": len(job.train), "validation": len(job.validation)},
            history=state.history,
        )


def _check(job: Job) -> None:
    if not job.labels:
        raise TrainingError("there are no labels to train on; set task.labels")
    if not job.train:
        raise TrainingError("the snapshot has no training records; annotate some")
    job.out.mkdir(parents=True, exist_ok=True)


def _accelerator(job: Job, device: Device) -> Accelerator:
    """A fresh Accelerator; its state outlives trainings of the same process and would keep the old precision."""
    for tracker in job.config.report_to:
        if find_spec(tracker) is None:
            raise TrainingError(
                f"training.report_to names {tracker}, which is not installed; pip install {tracker}, or leave it out"
            )
    if AcceleratorState._shared_state and AcceleratorState().num_processes == 1:
        AcceleratorState._reset_state(reset_partial_state=True)
        GradientState._reset_state()
    precision: Literal["no", "bf16", "fp16"] = device.precision
    accelerator = Accelerator(
        cpu=device.device.type == "cpu",
        mixed_precision=precision,
        log_with=list(job.config.report_to) or None,
        project_dir=str(job.out / "trackers"),
    )
    if job.config.report_to:
        plain = {k: v for k, v in job.config.model_dump().items() if isinstance(v, int | float | str)}
        accelerator.init_trackers("spanloop", config=plain)
    return accelerator
