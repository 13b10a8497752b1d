"""One training of a fresh model, on all of a job's records or on those outside a fold."""

import logging
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, GradientState
from accelerate.utils import gather_object

from spanloop.errors import TrainingError
from spanloop.model.device import Device, set_threads
from spanloop.model.encoding import Encoder
from spanloop.model.forward import Forward
from spanloop.model.layout import lay_out, words_of
from spanloop.model.ragged import Floats, Ints
from spanloop.model.surface import Feature, dropped
from spanloop.model.windows import longest_window
from spanloop.training.batching import share
from spanloop.training.checkpoint import Checkpoint, TrainingState
from spanloop.training.families import refused_if_unable, try_out, vocabulary
from spanloop.training.loop import Loop
from spanloop.training.plain import UNREAD, PlainReading, read_plainly
from spanloop.training.pretrained import begin_at, load_model
from spanloop.training.recipe import learning_rate, make_schedule, output_size, parameter_groups
from spanloop.training.step import Stepper
from spanloop.training.stopping import StopWish
from spanloop.training.targets import class_weights, log_frequencies, make_targets
from spanloop.training.token_types import teach_surface

if TYPE_CHECKING:
    from spanloop.training.job import Job

log = logging.getLogger(__name__)

_MULTIPLE = 32
"""Tokens of a batch on a CPU are a multiple of this: PyTorch makes the kernels of bf16 products anew for each shape."""


class Fit:
    """A model and what it learns from.

    Attributes:
        accelerator: Device, precision and processes.
        tokenizer: The model's tokenizer.
        max_length: Tokens a window.
        features: What the model reads of the words' surface as token types.
        targets: All of the job's examples, those left out too.
        schedule: How long to train.
    """

    def __init__(
        self,
        job: "Job",
        accelerator: Accelerator,
        device: Device,
        *,
        left_out: Ints,
        earlier: int,
        trainings: int,
    ) -> None:
        """Load the model and read the examples.

        Args:
            job: What is to be trained.
            accelerator: From `make_accelerator`.
            device: What it computes on.
            left_out: Indices of the examples that are not trained on.
            earlier: How many of the job's trainings come before this one.
            trainings: All of them.
        """
        self._job, self.accelerator, self._device, self._left_out = job, accelerator, device, left_out
        self._threads = set_threads(accelerator.num_processes)
        config = job.config
        start = job.start if not len(left_out) else ""  # a model of earlier rounds has seen what is left out
        model, self.tokenizer = load_model(start or config.model_name_or_path, job.scheme.names, config.seed)
        self.max_length = longest_window(model, self.tokenizer, config.max_length)
        with refused_if_unable(model.config.model_type, self.max_length):
            self._outputs = output_size(model, self.tokenizer, [example.text for example in job.examples])
        features = dropped(self.tokenizer) if config.surface_features else ()
        self.features: tuple[Feature, ...] = features if features and teach_surface(model) else ()
        self._encoder = Encoder(self.tokenizer, self.max_length, config.stride, self.features)
        if config.freeze_embeddings:
            vocabulary(model).requires_grad_(False)
        self._usual_attention = model.config._attn_implementation
        self._model = accelerator.prepare_model(model, evaluation_mode=True)  # gradients are added up in Stepper
        self._forward = self._find_forward()
        self.targets = make_targets(self._encoder, job.examples, job.scheme, config.label_subwords)
        self._windows = np.flatnonzero(~np.isin(self.targets.encoded.windows.text, left_out))
        if not len(self._windows):
            raise TrainingError("the training records hold no visible text; annotate records with text")
        if job.scheme.overlapping and not start:
            begin_at(self.plain_model, log_frequencies(self._tags_seen()))
        whole, processes = len(self.targets.encoded.windows), accelerator.num_processes
        self.schedule = make_schedule(len(self._windows), config, of_all=whole, processes=processes)
        self._before, self._steps_of_all = earlier * self.schedule.steps, trainings * self.schedule.steps

    @property
    def plain_model(self) -> Any:
        """The model as transformers knows it."""
        return self.accelerator.unwrap_model(self._model, keep_fp32_wrapper=False)

    def train(self, stop: StopWish, checkpoint: Checkpoint) -> TrainingState:
        """Train, from the checkpoint if there is one of this training.

        Raises:
            TrainingError: The loss is not a number, or SIGTERM came (a checkpoint is kept then).
            StoreError: The checkpoint cannot be written.
        """
        loop = self._loop(stop, checkpoint)
        self._announce(loop)
        state = loop.run()
        self._forward.budget = state.max_tokens  # what the device had room for
        return state

    def read_plainly(self) -> PlainReading:
        """What a plain pipeline finds in them; the model and its tokenizer are of no other use afterwards."""
        model, job = self.plain_model, self._job
        if job.scheme.overlapping:  # a pipeline takes one tag a word
            return UNREAD
        if model.config._attn_implementation != self._usual_attention:
            model.set_attn_implementation(self._usual_attention)
        model.eval()
        encoded, folds = self.targets.encoded, len(job.folds)
        return read_plainly(
            model, self.tokenizer, encoded=encoded, texts=self._left_out, examples=job.examples, folds=folds
        )

    def read(self) -> Floats:
        """(n_words, n_outputs) logits of the words that were left out, the same on every process.

        Each is read off its first subword in the window where that has most context.
        """
        self._model.eval()
        accelerator, encoded = self.accelerator, self.targets.encoded
        held = np.flatnonzero(np.isin(encoded.windows.text, self._left_out))
        rows = share(held, encoded.windows.lengths, accelerator.process_index, accelerator.num_processes)
        forward, ends = self._forward, (self._encoder.prefix, self._encoder.suffix)
        layout = lay_out(encoded, *ends, forward.budget, rows=rows, padding=forward.padding)
        word, word_token = words_of(encoded, layout.subword)
        parts = [(word, forward.run(layout, word_token).logits)]
        if accelerator.num_processes > 1:
            parts = gather_object(parts)
        found = np.zeros((len(self.targets.word_tags), parts[0][1].shape[1]), dtype=np.float32)
        for words, logits in parts:
            found[words] = logits
        return found[self.targets.words_of(self._left_out)]

    def _find_forward(self) -> Forward:
        """Pack windows where the encoder learns the same from them."""
        accelerator, budget = self.accelerator, self._job.config.max_tokens_per_batch
        multiple = _MULTIPLE if accelerator.device.type == "cpu" else 1
        forward = Forward(self._model, accelerator.device, self._encoder.pad_id, budget, multiple)
        lengths = (self.max_length, min(7, self.max_length))
        self._model.eval()
        try_out(forward, lengths, exact=self._device.precision == "no")
        return forward

    def _loop(self, stop: StopWish, checkpoint: Checkpoint) -> Loop:
        job, accelerator = self._job, self.accelerator
        fused = accelerator.device.type in ("cuda", "cpu")
        groups = parameter_groups(self._model, job.config, self._outputs)
        optimizer = accelerator.prepare_optimizer(torch.optim.AdamW(groups, fused=fused))
        state = checkpoint.restore(self._model, optimizer, accelerator.scaler)
        if state and accelerator.is_main_process:
            log.info("train: resuming at step %d", self._before + state.step)
        state = state or TrainingState(max_tokens=job.config.max_tokens_per_batch)
        self._forward.budget = state.max_tokens
        return Loop(
            accelerator=accelerator,
            model=self._model,
            optimizer=optimizer,
            stepper=self._stepper(state.max_tokens),
            windows=self._windows,
            schedule=self.schedule,
            config=job.config,
            checkpoint=checkpoint,
            state=state,
            report=job.report,
            stop=stop,
            steps_before=self._before,
            steps_of_all=self._steps_of_all,
            checkpoint_seconds=job.checkpoint_seconds,
        )

    def _stepper(self, max_tokens: int) -> Stepper:
        config, weights = self._job.config, None
        if config.class_weighting == "inverse_sqrt":
            n_tags = 2 * len(self.targets.scheme.chains[0]) + 1
            weights = torch.from_numpy(np.stack([class_weights(chain, n_tags) for chain in self._tags_seen().T]))
        return Stepper(
            self._forward,
            self.accelerator,
            self._encoder,
            self.targets,
            weights=weights,
            max_windows=config.per_device_train_batch_size,
            max_tokens=max_tokens,
        )

    def _tags_seen(self) -> Ints:
        """(n_words, n_chains) gold tags of the words that are trained on."""
        seen = np.setdiff1d(np.arange(len(self._job.examples)), self._left_out)
        return self.targets.word_tags[self.targets.words_of(seen)]

    def _announce(self, loop: Loop) -> None:
        if not self.accelerator.is_main_process:
            return
        config, records = self._job.config, len(self._job.examples)
        log.info(
            "train: %d of %d records in %d windows, %s, %d processes, %d threads, %d windows a step, "
            "%d tokens a batch, %d steps, learning rate %.1e%s",
            *(records - len(self._left_out), records, len(self._windows), self._device),
            *(self.accelerator.num_processes, self._threads),
            *(loop.schedule.windows, loop.stepper.max_tokens),
            *(self.schedule.steps, learning_rate(self._model, config)),
            ", spans of different labels may overlap" if self.targets.scheme.overlapping else "",
        )
        if len(self._left_out):
            return
        for lost in self.targets.lost:
            log.warning(
                "train: record %s: span %d-%d (%s)", lost.record_id, lost.span.start, lost.span.end, lost.reason
            )


def make_accelerator(job: "Job", device: Device, *, tracked: bool) -> Accelerator:
    """A fresh Accelerator; its state outlives trainings of the same process and would keep the old precision.

    Args:
        job: What is to be trained.
        device: What to compute on.
        tracked: Whether the curves go to the experiment trackers.

    Raises:
        TrainingError: A tracker is not installed.
    """
    trackers = list(job.config.report_to) if tracked else []
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
        log_with=trackers or None,
        project_dir=str(job.out / "trackers"),
    )
    if trackers:
        plain = {k: v for k, v in job.config.model_dump().items() if isinstance(v, int | float | str)}
        accelerator.init_trackers("spanloop", config=plain)
    return accelerator
