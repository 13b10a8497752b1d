"""`train`: from a real snapshot, in one process and in two through `accelerate launch`."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file
from snapshots import people_snapshot
from tiny_models import save_tiny_encoder

from spanloop.config import TrainingConfig
from spanloop.errors import TrainingError
from spanloop.records import SPLITS
from spanloop.snapshot import read_examples
from spanloop.training import TrainProgress, train
from spanloop.training.launch import Request


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return people_snapshot(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_encoder(tmp_path_factory.mktemp("encoder"), dropout=0.0)


def make_config(encoder: Path, processes: int, epochs: int = 10) -> TrainingConfig:
    return TrainingConfig(
        model_name_or_path=str(encoder), learning_rate=3e-3, head_learning_rate_ratio=2, num_train_epochs=epochs,
        min_steps=0, max_length=32, stride=8, mixed_precision="no", num_processes=processes,
        per_device_train_batch_size=8 // processes,
    )  # fmt: skip


def test_all_but_the_test_split_trains_with_its_groups(snapshot: Path, encoder: Path, tmp_path: Path) -> None:
    job = Request(snapshot, make_config(encoder, 1), tmp_path, None).job()
    splits = {split: [e.id for e in read_examples(snapshot, split)] for split in SPLITS}
    assert splits["validation"]
    assert [e.id for e in job.examples] == splits["train"] + splits["validation"]
    assert job.groups == [e.id for e in job.examples]
    assert sorted(np.concatenate(job.folds).tolist()) == list(range(len(job.examples)))


def test_two_processes_with_as_many_windows_a_step_train_the_model_of_one(
    snapshot: Path, encoder: Path, tmp_path: Path
) -> None:
    told: list[TrainProgress] = []
    one = train(snapshot, make_config(encoder, 1), tmp_path / "one")
    two = train(snapshot, make_config(encoder, 2), tmp_path / "two", progress=told.append)
    assert two.steps == one.steps
    assert (two.folds, two.out_of_fold_f1) == (one.folds, one.out_of_fold_f1)
    assert one.folds == 2
    assert one.out_of_fold_f1 is not None
    assert one.out_of_fold_f1 > 0.5
    assert two.score_slope == pytest.approx(one.score_slope, rel=0.1)  # sums in another order
    a, b = (load_file(tmp_path / name / "model.safetensors") for name in ("one", "two"))
    assert max(float((a[key] - b[key]).abs().max()) for key in a) < 1e-3
    assert told[-1].loss < told[0].loss
    assert not (tmp_path / "two" / "request.json").exists()


def test_a_problem_in_a_child_is_the_problem_of_the_parent(snapshot: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="encoder '/no/such/encoder' cannot be loaded"):
        train(snapshot, make_config(Path("/no/such/encoder"), 2), tmp_path)


def test_children_die_with_the_parent(snapshot: Path, encoder: Path, tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from spanloop.config import TrainingConfig\n"
        "from spanloop.training import train\n"
        "config = TrainingConfig.model_validate_json(sys.argv[2])\n"
        "train(Path(sys.argv[1]), config, Path(sys.argv[3]), progress=lambda p: print(p.step, flush=True))\n"
    )
    config = make_config(encoder, 2, epochs=1000)
    arguments = [str(snapshot), config.model_dump_json(), str(tmp_path)]
    parent = subprocess.Popen([sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    assert int(parent.stdout.readline()) > 0
    children = _processes_naming(tmp_path / "request.json")
    assert len(children) >= 2
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 60
    while _processes_naming(tmp_path / "request.json") and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not _processes_naming(tmp_path / "request.json")


def _processes_naming(path: Path) -> list[int]:
    """Ids of the running processes with `path` in their command line."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if str(path).encode() in command:
            found.append(int(folder.name))
    return found
