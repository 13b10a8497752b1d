"""Checkpoints: training that was killed goes on as if it had not been.

Order and dropout of every step are drawn from (seed, step), so weights, optimizer and step number are the whole state.
A reader never sees half of a file.
"""

import contextlib
import hashlib
import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any
from zipfile import BadZipFile, ZipFile

import torch

from spanloop.durable import replacing, told_as_store_errors
from spanloop.errors import StoreError, first_line

log = logging.getLogger(__name__)


@dataclass(slots=True)
class TrainingState:
    """What changes while training.

    Attributes:
        step: Update steps done.
        seconds: Time spent.
        tokens: Real tokens read.
        max_tokens: Tokens a batch that fit the device.
    """

    step: int = 0
    seconds: float = 0.0
    tokens: int = 0
    max_tokens: int = 0


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read the file of a checkpoint.

    Raises:
        StoreError: It is damaged.
    """
    try:
        with ZipFile(path) as parts:  # torch does not compare what it reads with the checksums in it
            if bad := parts.testzip():
                raise ValueError(f"{bad} does not fit its checksum")
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, EOFError, ValueError, RuntimeError, UnpicklingError, BadZipFile) as error:
        raise StoreError(f"{path} is damaged ({first_line(error)[:80]}); that training begins anew") from None
    if not isinstance(content, dict) or not {"job", "state"} <= content.keys():
        raise StoreError(f"{path} is no checkpoint; that training begins anew")
    return content


class Checkpoint:
    """The checkpoint of one of a job's trainings, a file in a folder."""

    def __init__(self, folder: Path, job: dict[str, Any], name: str) -> None:
        """Use `folder`; `job` is what the training depends on: a checkpoint of another job is not resumed."""
        self._folder, self._path = folder, folder / f"{name}.pt"
        self._job = hashlib.sha256(json.dumps(job, sort_keys=True).encode()).hexdigest()

    def save(self, state: TrainingState, model: Any, optimizer: Any, scaler: Any | None) -> None:
        """Write the state; the checkpoint before stays until this one is complete.

        Raises:
            StoreError: It cannot be written.
        """
        parts = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
        self._write({"state": asdict(state), **parts, "scaler": scaler.state_dict() if scaler is not None else None})

    def restore(self, model: Any, optimizer: Any, scaler: Any | None) -> TrainingState | None:
        """Load the state into model and optimizer; None if there is no usable checkpoint of this job."""
        content = self._read()
        if content is None:
            return None
        model.load_state_dict(content["model"])
        optimizer.load_state_dict(content["optimizer"])
        if scaler is not None and content["scaler"] is not None:
            scaler.load_state_dict(content["scaler"])
        return TrainingState(**content["state"])

    def finish(self, state: TrainingState, outcome: dict[str, torch.Tensor]) -> None:
        """Keep what a training was for, in place of its weights.

        Raises:
            StoreError: It cannot be written.
        """
        self._write({"state": asdict(state), "outcome": outcome})

    def finished(self) -> tuple[TrainingState, dict[str, torch.Tensor]] | None:
        """What `finish` kept; None while the training is not done."""
        content = self._read()
        return (TrainingState(**content["state"]), content["outcome"]) if content and "outcome" in content else None

    def remove(self) -> None:
        """Delete the checkpoints of all trainings."""
        for path in self._folder.glob("*.pt*"):  # a half-written one that a crash left too
            path.unlink()
        with contextlib.suppress(OSError):
            self._folder.rmdir()

    def _read(self) -> dict[str, Any] | None:
        if not self._path.exists():
            return None
        try:
            content = read_checkpoint(self._path)
        except StoreError as error:
            log.warning("%s", error)
            return None
        return content if content["job"] == self._job else None

    def _write(self, content: dict[str, Any]) -> None:
        with told_as_store_errors("write a checkpoint", self._path):
            self._folder.mkdir(parents=True, exist_ok=True)
            with replacing(self._path) as file:
                torch.save({"job": self._job, **content}, file)
