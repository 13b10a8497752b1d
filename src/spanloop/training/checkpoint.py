"""Checkpoints: training that was killed goes on as if it had not been.

Order and dropout of every step are drawn from (seed, step), so weights, optimizer and step number are the whole state.
A reader never sees half of a file.
"""

import contextlib
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from spanloop.durable import replacing
from spanloop.errors import StoreError


@dataclass(slots=True)
class TrainingState:
    """What changes while training.

    Attributes:
        step: Update steps done.
        seconds: Time spent.
        tokens: Real tokens read.
        best_f1: Best validation F1; None before the first evaluation.
        best_step: When that was.
        best_weights: The weights then, on the CPU; None: the current ones.
        stale: Evaluations since without a better one.
        cooling_from: The step at which early stopping began to lower the learning rate to 0; None: it has not.
        max_tokens: Tokens a batch that fit the device.
        history: One dict an evaluation.
    """

    step: int = 0
    seconds: float = 0.0
    tokens: int = 0
    best_f1: float | None = None
    best_step: int = 0
    best_weights: dict[str, torch.Tensor] | None = None
    stale: int = 0
    cooling_from: int | None = None
    max_tokens: int = 0
    history: list[dict[str, float]] = field(default_factory=list)


_PLAIN = ("step", "seconds", "tokens", "best_f1", "best_step", "stale", "cooling_from", "max_tokens", "history")


class Checkpoint:
    """The checkpoint of one training job in a folder."""

    def __init__(self, folder: Path, job: dict[str, Any]) -> None:
        """Use `folder`; `job` is what the training depends on: a checkpoint of another job is not resumed."""
        self._folder = folder
        self._job = hashlib.sha256(json.dumps(job, sort_keys=True).encode()).hexdigest()

    def save(self, state: TrainingState, model: Any, optimizer: Any, scaler: Any | None) -> None:
        """Write the state; the checkpoint before stays until this one is complete.

        Raises:
            StoreError: It cannot be written.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        best = f"best-{state.best_step}.pt"
        if state.best_weights is not None and not (self._folder / best).exists():
            self._write(best, state.best_weights)
        content = {
            "job": self._job,
            "state": {name: getattr(state, name) for name in _PLAIN},
            "best": best if state.best_weights is not None else "",
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "scaler": scaler.state_dict() if scaler is not None else None,
        }
        self._write("state.pt", content)
        for old in self._folder.glob("best-*.pt"):
            if old.name != best:
                old.unlink()

    def restore(self, model: Any, optimizer: Any, scaler: Any | None) -> TrainingState | None:
        """Load the state into model and optimizer; None if there is no usable checkpoint of this job."""
        path = self._folder / "state.pt"
        if not path.exists():
            return None
        content = torch.load(path, map_location="cpu", weights_only=True)
        if content["job"] != self._job:
            return None
        model.load_state_dict(content["model"])
        optimizer.load_state_dict(content["optimizer"])
        if scaler is not None and content["scaler"] is not None:
            scaler.load_state_dict(content["scaler"])
        state = TrainingState(**content["state"])
        if content["best"]:
            state.best_weights = torch.load(self._folder / content["best"], map_location="cpu", weights_only=True)
        return state

    def remove(self) -> None:
        """Delete the checkpoint."""
        for path in self._folder.glob("*.pt*"):  # a half-written one that a crash left too
            path.unlink()
        with contextlib.suppress(OSError):
            self._folder.rmdir()

    def _write(self, name: str, content: object) -> None:
        try:
            with replacing(self._folder / name) as file:
                torch.save(content, file)
        except (OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError
            reason = str(error).splitlines()[0]
            raise StoreError(
                f"checkpoint {self._folder / name} cannot be written ({reason}); free some space"
            ) from None
