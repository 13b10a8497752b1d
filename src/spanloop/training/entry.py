"""`train`: a snapshot in, a model folder out, on whatever devices there are."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from spanloop.training.outcome import TrainProgress, TrainResult

if TYPE_CHECKING:
    from spanloop.config import TrainingConfig


def train(
    snapshot_path: Path,
    config: "TrainingConfig",
    out: Path,
    *,
    init_from: Path | None = None,
    progress: Callable[[TrainProgress], None] | None = None,
) -> TrainResult:
    """Train a token classifier on all labels of a snapshot that are not for the test.

    In this process on no or one device; through `accelerate launch` on more, or where `config.num_processes` says so.
    Goes on from the checkpoints in `out` if a training with the same data and configuration was interrupted there.

    Args:
        snapshot_path: Folder of a snapshot.
        config: How to train.
        out: Folder to write the model into.
        init_from: A model folder to start from; None starts from `config.model_name_or_path`.
        progress: Called every few steps.

    Returns:
        What training did; `out` holds the model, its tokenizer, `spanloop.json`, `training.json` and a model card.

    Raises:
        TrainingError: There is nothing to train on, the encoder cannot be loaded, the loss is not a number, the device
            is too small, or training was stopped by SIGTERM.
        LabelError: A record has a label that the snapshot's scheme lacks.
        StoreError: `out` cannot be written.
    """
    from spanloop.model.device import find_device
    from spanloop.training import launch
    from spanloop.training.job import run_job

    processes = config.num_processes or find_device(config.mixed_precision).count
    request = launch.Request(snapshot_path, config, out, init_from)
    if processes > 1:
        return launch.run_processes(request, processes, progress)
    return run_job(request.job(progress))
