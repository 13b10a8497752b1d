"""Train one model in this process: out-of-fold predictions of all the records, then the model on all of them."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from spanloop.errors import TrainingError
from spanloop.model.device import find_device
from spanloop.model.ragged import Floats, Ints
from spanloop.model.tag_scheme import TagScheme
from spanloop.records import Example
from spanloop.spans import have_overlaps
from spanloop.training.checkpoint import Checkpoint, TrainingState
from spanloop.training.confidence import UNKNOWN, Confidence, of_all_records
from spanloop.training.evidence import evidence_of
from spanloop.training.evidence_file import EVIDENCE, write_evidence
from spanloop.training.fit import Fit, make_accelerator
from spanloop.training.folds import deal_folds
from spanloop.training.loop import CHECKPOINT_SECONDS
from spanloop.training.out_of_fold import OutOfFold
from spanloop.training.outcome import Report, TrainResult
from spanloop.training.plain import UNREAD, PlainLoss, PlainReading, plain_loss
from spanloop.training.saving import save_model
from spanloop.training.stopping import StopWish, sigterm_asks

if TYPE_CHECKING:
    from spanloop.config import TrainingConfig

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be trained.

    Attributes:
        examples: All that the model may learn from.
        labels: The label scheme.
        config: How to train.
        out: The model folder; the checkpoints lie in it while training.
        groups: The group of each example, which no two folds share; empty: each is one of its own.
        snapshot: The version of the data, for the model card.
        start: The encoder or model folder to start from.
        overlapping: Give each label a chain of tags of its own, also where no spans of the examples overlap.
        report: Called with the progress on the main process.
        checkpoint_seconds: Time between checkpoints.
    """

    examples: Sequence[Example]
    labels: Sequence[str]
    config: "TrainingConfig"
    out: Path
    groups: Sequence[str] = ()
    snapshot: str = ""
    start: str = ""
    overlapping: bool = False
    report: Report = field(default=lambda progress: None)
    checkpoint_seconds: float = CHECKPOINT_SECONDS

    @property
    def scheme(self) -> TagScheme:
        """The tags that the model is to tell apart: as many chains as the spans of the examples need."""
        overlapping = self.overlapping or any(have_overlaps(example.spans) for example in self.examples)
        return TagScheme(tuple(self.labels), overlapping)

    @property
    def key(self) -> dict[str, Any]:
        """What the weights depend on, besides the number of processes."""
        return {
            "config": self.config.model_dump(exclude={"report_to", "num_processes"}),
            "tags": self.scheme.names,
            "snapshot": self.snapshot,
            "start": self.start,
            "examples": [[e.id, e.text, [[s.start, s.end, s.label] for s in e.spans]] for e in self.examples],
            "groups": list(self.groups),
        }

    @property
    def folds(self) -> list[Ints]:
        """Indices of the examples of each fold; empty: there is no cross-fitting."""
        groups = self.groups or [str(i) for i in range(len(self.examples))]
        return deal_folds(groups, self.config.folds, self.config.seed)


def run_job(job: Job) -> TrainResult:
    """Train a model and write its folder.

    Raises:
        TrainingError: There is nothing to train on, the encoder cannot be loaded, the loss is not a number, the device
            is too small, or SIGTERM came.
        LabelError: An example has a label that the scheme lacks.
        StoreError: The folder cannot be written.
    """
    _check(job)
    with sigterm_asks() as stop:
        return _Training(job, stop).run()


def cross_fit(job: Job) -> OutOfFold | None:
    """Train on parts of the records and read the others, without the training on all of them.

    Returns:
        What was read; None where the records are too few for folds, or none are asked for.

    Raises:
        TrainingError: As of `run_job`.
        LabelError: As of `run_job`.
        StoreError: The checkpoints cannot be written.
    """
    _check(job)
    with sigterm_asks() as stop:
        return _Training(job, stop).cross_fit()


class _Training:
    """The trainings of a job, one after the other."""

    def __init__(self, job: Job, stop: StopWish) -> None:
        self._job, self._stop, self._folds = job, stop, job.folds
        self._device = find_device(job.config.mixed_precision, training=True)
        self._key = {**job.key, "processes": job.config.num_processes or self._device.count}
        self._states: list[TrainingState] = []

    def run(self) -> TrainResult:
        accelerator = None
        try:
            judged = self._read_folds()
            accelerator = make_accelerator(self._job, self._device, tracked=True)
            fit = self._fit(accelerator, None)
            self._states.append(fit.train(self._stop, self._checkpoint("state")))
            unseen = self._unseen(fit, judged)
            confidence = unseen.confidence() if unseen else UNKNOWN
            readings = [reading for _, reading in judged]
            loss = plain_loss(readings, [unseen.found], confidence, self._job.examples) if unseen else None
            result = self._result(fit, of_all_records(confidence, len(self._folds)), loss)
            if accelerator.is_main_process:
                self._save(fit, result)
                if unseen:
                    write_evidence(self._job.out / EVIDENCE, evidence_of(unseen, confidence.scale))
                self._checkpoint("state").remove()
            accelerator.wait_for_everyone()
            return result
        finally:
            if accelerator is not None:
                accelerator.end_training()
                accelerator.free_memory()

    def cross_fit(self) -> OutOfFold | None:
        judged = self._read_folds()
        return self._unseen(self._fit(make_accelerator(self._job, self._device, tracked=False), None), judged)

    def _read_folds(self) -> list[tuple[Floats, PlainReading]]:
        return [self._out_of_fold(fold) for fold in range(len(self._folds))]

    def _unseen(self, fit: Fit, judged: list[tuple[Floats, PlainReading]]) -> OutOfFold | None:
        if not judged:
            return None
        job, logits = self._job, np.concatenate([logits for logits, _ in judged])
        return OutOfFold(job.examples, fit.targets, np.concatenate(self._folds), logits)

    def _fit(self, accelerator: Any, fold: int | None) -> Fit:
        left_out = np.zeros(0, dtype=np.int64) if fold is None else self._folds[fold]
        place = {"earlier": len(self._states), "trainings": len(self._folds) + 1}
        return Fit(self._job, accelerator, self._device, left_out=left_out, **place)

    def _checkpoint(self, name: str) -> Checkpoint:
        return Checkpoint(self._job.out / "checkpoint", self._key, name)

    def _out_of_fold(self, fold: int) -> tuple[Floats, PlainReading]:
        """The logits of the words of a fold, by a model that does not see it, and what a plain pipeline makes of it."""
        checkpoint = self._checkpoint(f"read-{fold}")
        if (done := checkpoint.finished()) is None:
            accelerator = make_accelerator(self._job, self._device, tracked=False)
            fit = self._fit(accelerator, fold)
            state = fit.train(self._stop, checkpoint)
            done = state, _outcome(fit.read(), fit.read_plainly() if accelerator.is_main_process else UNREAD)
            if accelerator.is_main_process:
                checkpoint.finish(*done)
            accelerator.free_memory()
        state, outcome = done
        self._states.append(state)
        return outcome["logits"].numpy(), PlainReading(outcome["read"].numpy(), outcome["plain"].numpy())

    def _result(self, fit: Fit, confidence: Confidence, loss: PlainLoss | None) -> TrainResult:
        seconds, tokens = (sum(getattr(state, name) for state in self._states) for name in ("seconds", "tokens"))
        return TrainResult(
            device=fit.accelerator.device.type,
            precision=self._device.precision,
            steps=self._states[-1].step,
            epochs=self._states[-1].step / fit.schedule.per_epoch,
            seconds=seconds,
            tokens_per_second=tokens / max(seconds, 1e-9),
            score_slope=confidence.scale.slope,
            score_offset=confidence.scale.offset,
            min_score=confidence.min_score,
            folds=len(self._folds),
            out_of_fold_f1=confidence.f1,
            plain_f1=loss.plain if loss else {},
            plain_ours=loss.ours if loss else None,
            plain_records=loss.records if loss else 0,
            lost_spans=len(fit.targets.lost),
        )

    def _save(self, fit: Fit, result: TrainResult) -> None:
        job = self._job
        save_model(
            job.out,
            fit.plain_model,
            fit.tokenizer,
            scheme=fit.targets.scheme,
            max_length=fit.max_length,
            surface_features=fit.features,
            snapshot=job.snapshot,
            base=job.start or job.config.model_name_or_path,
            config=job.config,
            result=result,
            records=len(job.examples),
        )


def _outcome(logits: Floats, reading: PlainReading) -> dict[str, torch.Tensor]:
    """What is kept of a fold."""
    arrays = {"logits": logits, "read": reading.texts, "plain": reading.counts}
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def _check(job: Job) -> None:
    if not job.labels:
        raise TrainingError("there are no labels to train on; set task.labels")
    if not job.examples:
        raise TrainingError("the snapshot has no training records; annotate some")
    job.out.mkdir(parents=True, exist_ok=True)
