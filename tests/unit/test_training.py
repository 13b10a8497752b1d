"""Training, by training: tiny random encoders on sentences with people and places."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from small_devices import OUT_OF_MEMORY, limit_memory
from tiny_models import LABELS, people_and_places, save_tiny_encoder
from transformers import AutoModelForTokenClassification, AutoTokenizer, BertForTokenClassification

from spanloop.config import ScoringConfig, TrainingConfig
from spanloop.errors import LabelError, StoreError, TrainingError
from spanloop.evaluation.counts import record_counts, total
from spanloop.records import Example, Span
from spanloop.scoring import predict
from spanloop.spans import tag_names
from spanloop.training.confidence import of_all_records
from spanloop.training.evidence import evidence_of
from spanloop.training.evidence_file import EVIDENCE, read_evidence
from spanloop.training.job import Job, cross_fit, run_job
from spanloop.training.outcome import TrainProgress
from spanloop.training.pretrained import load_model

ROUNDING = 1e-5
"""Largest difference of weights that did the same steps: a matrix product may round otherwise in another process."""

KEPT = {
    20: {"read-0": (16, True), "read-1": (3, False)},
    40: {"read-0": (16, True), "read-1": (16, True), "state": (7, False)},
}
"""What lies in the checkpoint of a training killed at a step of 3 times 16: updates done, and whether that was all."""


by_id = attrgetter("record_id")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_encoder(tmp_path_factory.mktemp("encoder"))


def make_config(encoder: Path, **changes: Any) -> TrainingConfig:
    quick = {
        "model_name_or_path": str(encoder), "learning_rate": 3e-3, "head_learning_rate_ratio": 2, "num_train_epochs": 4,
        "min_steps": 0, "max_length": 32, "stride": 8, "per_device_train_batch_size": 8, "mixed_precision": "no",
        "freeze_embeddings": False, "folds": 0,
    }  # fmt: skip
    return TrainingConfig.model_validate({**quick, **changes})


def make_job(encoder: Path, out: Path, records: int = 32, **changes: Any) -> Job:
    config = make_config(encoder, **changes)
    return Job(people_and_places(records), LABELS, config, out, snapshot="v0001-00000000")


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def difference(a: Path, b: Path) -> float:
    one, other = weights(a), weights(b)
    return max(float((one[name] - other[name]).abs().max()) for name in one)


def f1_of(folder: Path, examples: Sequence[Example]) -> float:
    return total(record_counts(examples, predict(folder, examples, ScoringConfig()))).f1


@pytest.mark.parametrize("kind", ["wordpiece", "byte_level", "unigram"])
def test_a_few_sentences_are_learnt_by_heart(tmp_path: Path, kind: str) -> None:
    encoder = save_tiny_encoder(tmp_path / "encoder", kind)
    job = make_job(encoder, tmp_path / "model", records=16, min_steps=120)
    result = run_job(job)
    assert f1_of(tmp_path / "model", job.examples) == 1.0
    assert result.steps == 120
    assert (result.score_slope, result.score_offset, result.min_score) == (1.0, 0.0, 0.0)
    assert result.out_of_fold_f1 is None


def test_bf16_computes_and_fp32_weights_are_kept(encoder: Path, tmp_path: Path) -> None:
    job = make_job(encoder, tmp_path, min_steps=60, mixed_precision="bf16")
    result = run_job(job)
    assert result.precision == "bf16"
    assert f1_of(tmp_path, job.examples) > 0.9
    assert {value.dtype for value in weights(tmp_path).values()} == {torch.float32}


def test_the_model_folder_is_complete_and_plain_transformers_reads_it(encoder: Path, tmp_path: Path) -> None:
    result = run_job(make_job(encoder, tmp_path, folds=2))
    about = json.loads((tmp_path / "spanloop.json").read_text())
    assert about["labels"] == LABELS
    assert about["snapshot"] == "v0001-00000000"
    assert about["score_slope"] == result.score_slope
    assert about["score_offset"] == result.score_offset
    assert about["min_score"] == result.min_score
    model = AutoModelForTokenClassification.from_pretrained(tmp_path)
    assert model.config.id2label == {0: "O", 1: "B-PER", 2: "I-PER", 3: "B-LOC", 4: "I-LOC"}
    assert AutoTokenizer.from_pretrained(tmp_path).is_fast
    card = (tmp_path / "README.md").read_text()
    assert "v0001-00000000" in card
    assert f"{result.out_of_fold_f1:.4f}" in card
    assert not (tmp_path / "checkpoint").exists()
    assert json.loads((tmp_path / "training.json").read_text())["result"]["folds"] == 2


def test_folds_judge_the_model_and_leave_its_weights_as_they_are(encoder: Path, tmp_path: Path) -> None:
    told: list[TrainProgress] = []
    plain = run_job(make_job(encoder, tmp_path / "plain", num_train_epochs=12))
    judged = run_job(replace(make_job(encoder, tmp_path / "judged", num_train_epochs=12, folds=2), report=told.append))
    assert difference(tmp_path / "plain", tmp_path / "judged") < ROUNDING
    assert judged.steps == plain.steps == 48
    assert told[-1].step == told[-1].max_steps == 144  # two folds, then all
    assert [progress.step for progress in told] == sorted({progress.step for progress in told})
    unseen = people_and_places(300)[32:]
    assert judged.out_of_fold_f1 == pytest.approx(f1_of(tmp_path / "judged", unseen), abs=0.25)
    assert judged.score_slope != 1.0


def test_progress_says_how_far_how_good_and_how_long(encoder: Path, tmp_path: Path) -> None:
    told: list[TrainProgress] = []
    job = make_job(encoder, tmp_path, num_train_epochs=8)
    run_job(replace(job, report=told.append))
    assert told[-1].loss < told[0].loss
    assert told[-1].step <= told[-1].max_steps == 32
    assert told[-1].tokens_per_second > 0
    assert told[-1].seconds_left <= told[0].seconds_left


@pytest.mark.parametrize("at", [20, 40])
def test_a_killed_training_goes_on_to_the_same_weights(encoder: Path, tmp_path: Path, at: int) -> None:
    """kill -9 in the middle of an epoch, in the second fold or after both, against a training that nothing stopped."""
    whole = run_job(make_job(encoder, tmp_path / "whole", folds=2))
    script = (
        "import os, signal, sys\n"
        "sys.path.insert(0, os.path.dirname(sys.argv[1]))\n"
        "from test_training import *\n"
        "def die(progress):\n"
        "    if progress.step == int(sys.argv[4]): os.kill(os.getpid(), signal.SIGKILL)\n"
        "job = make_job(Path(sys.argv[2]), Path(sys.argv[3]), folds=2)\n"
        "run_job(replace(job, report=die, checkpoint_seconds=0.0))\n"
    )
    arguments = [__file__, str(encoder), str(tmp_path / "killed"), str(at)]
    died = subprocess.run([sys.executable, "-c", script, *arguments], env=_environment(), check=False)
    assert died.returncode == -signal.SIGKILL
    kept = {path.stem: torch.load(path, weights_only=True) for path in (tmp_path / "killed" / "checkpoint").iterdir()}
    assert {name: (part["state"]["step"], "outcome" in part) for name, part in kept.items()} == KEPT[at]
    told: list[TrainProgress] = []
    again = run_job(replace(make_job(encoder, tmp_path / "killed", folds=2), report=told.append))
    assert told[0].step >= at
    assert difference(tmp_path / "whole", tmp_path / "killed") < ROUNDING
    assert again.score_slope == pytest.approx(whole.score_slope, rel=1e-3)
    assert (again.min_score, again.out_of_fold_f1) == (whole.min_score, whole.out_of_fold_f1)
    assert (again.plain_f1, again.plain_records) == (whole.plain_f1, whole.plain_records)


def test_a_checkpoint_of_another_training_is_not_resumed(encoder: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="stopped at step 11"):
        _interrupt(make_job(encoder, tmp_path / "a"), at=10)
    run_job(make_job(encoder, tmp_path / "a", seed=7))
    run_job(make_job(encoder, tmp_path / "b", seed=7))
    assert difference(tmp_path / "a", tmp_path / "b") < ROUNDING


@pytest.mark.parametrize("content", [b"", b"half of a checkpoint"])
def test_a_damaged_checkpoint_is_not_resumed(encoder: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "checkpoint").mkdir()
    (tmp_path / "checkpoint" / "state.pt").write_bytes(content)
    assert run_job(make_job(encoder, tmp_path)).steps > 0
    assert not (tmp_path / "checkpoint").exists()


def test_sigterm_ends_training_with_a_checkpoint(encoder: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="stopped at step 11 of 16; run again to resume"):
        _interrupt(make_job(encoder, tmp_path / "stopped"), at=10)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    run_job(make_job(encoder, tmp_path / "stopped"))
    run_job(make_job(encoder, tmp_path / "whole"))
    assert difference(tmp_path / "whole", tmp_path / "stopped") < ROUNDING


@pytest.mark.parametrize("fail", OUT_OF_MEMORY)
def test_out_of_memory_halves_the_batch_and_goes_on(
    fail: Callable[[], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same update step in smaller parts: without dropout the weights are those of a device with room for all."""
    plain = save_tiny_encoder(tmp_path / "encoder", dropout=0.0)
    run_job(make_job(plain, tmp_path / "roomy"))
    sizes = limit_memory(monkeypatch, BertForTokenClassification, 64, fail)
    run_job(make_job(plain, tmp_path / "tight"))
    assert max(sizes) > 64 >= sizes[-1]
    assert difference(tmp_path / "roomy", tmp_path / "tight") < 1e-4


def test_one_window_that_does_not_fit_is_an_error(
    encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_memory(monkeypatch, BertForTokenClassification, 4)
    with pytest.raises(TrainingError, match=r"runs out of memory with one window of .* lower training\.max_length"):
        run_job(make_job(encoder, tmp_path))


def test_a_loss_that_is_no_number_is_an_error(encoder: Path, tmp_path: Path) -> None:
    model, tokenizer = load_model(str(encoder), tag_names(LABELS), 0)
    with torch.no_grad():
        model.classifier.weight.fill_(float("nan"))
    model.save_pretrained(tmp_path / "broken")
    tokenizer.save_pretrained(tmp_path / "broken")
    with pytest.raises(TrainingError, match=r"the loss is nan at step .* lower training\.learning_rate"):
        run_job(make_job(tmp_path / "broken", tmp_path / "model"))


def test_accumulated_batches_make_the_step_of_one_large_batch(tmp_path: Path) -> None:
    plain = save_tiny_encoder(tmp_path / "encoder", dropout=0.0)
    run_job(make_job(plain, tmp_path / "large", per_device_train_batch_size=8))
    run_job(make_job(plain, tmp_path / "small", per_device_train_batch_size=2, gradient_accumulation_steps=4))
    assert difference(tmp_path / "large", tmp_path / "small") < 1e-4


def test_long_texts_are_trained_on_to_their_end(encoder: Path, tmp_path: Path) -> None:
    """The only gold span stands 60 words behind the end of the first window."""
    text = "In London, nobody met nobody. " * 12 + "Ada left."
    example = Example("long", text, (Span(text.index("Ada"), text.index("Ada") + 3, "PER"),))
    job = Job([example], LABELS, make_config(encoder, min_steps=60), tmp_path)
    run_job(job)
    assert f1_of(tmp_path, [example]) == 1.0


def test_a_warm_start_keeps_the_head_of_the_labels_that_stay(encoder: Path, tmp_path: Path) -> None:
    run_job(make_job(encoder, tmp_path / "first", records=16, min_steps=120))
    old = weights(tmp_path / "first")["classifier.weight"]
    same, _ = load_model(str(tmp_path / "first"), tag_names(LABELS), 0)
    assert torch.equal(same.classifier.weight, old)
    other, _ = load_model(str(tmp_path / "first"), tag_names(["ORG", "PER"]), 0)
    assert torch.equal(other.classifier.weight[[0, 3, 4]], old[[0, 1, 2]])
    assert not torch.isin(other.classifier.weight[1:3], old).any()


def test_the_folds_leave_evidence_about_every_record(encoder: Path, tmp_path: Path) -> None:
    job = make_job(encoder, tmp_path / "folds", folds=2, num_train_epochs=12)
    result = run_job(job)
    evidence = {e.record_id: e for e in read_evidence(tmp_path / "folds" / EVIDENCE)}
    assert {name: tuple(s.span for s in e.marked) for name, e in evidence.items()} == {
        e.id: e.spans for e in job.examples
    }
    alone = cross_fit(replace(job, out=tmp_path / "alone"))
    assert alone is not None
    told = alone.confidence()
    assert sorted(evidence_of(alone, told.scale), key=by_id) == sorted(evidence.values(), key=by_id)
    model = of_all_records(told, folds=2)
    assert (result.score_slope, result.score_offset) == (model.scale.slope, model.scale.offset)
    run_job(make_job(encoder, tmp_path / "none"))
    assert not (tmp_path / "none" / EVIDENCE).exists()


def test_a_warm_start_is_not_judged_by_a_model_that_has_seen_the_records(encoder: Path, tmp_path: Path) -> None:
    first = run_job(make_job(encoder, tmp_path / "first", folds=2))
    job = make_job(encoder, tmp_path / "second", folds=2)
    second = run_job(replace(job, start=str(tmp_path / "first")))
    assert difference(tmp_path / "first", tmp_path / "second") > 1e-3
    assert (second.out_of_fold_f1, second.score_slope) == (first.out_of_fold_f1, first.score_slope)


def test_rare_labels_weigh_more_with_class_weighting() -> None:
    from spanloop.training.targets import class_weights

    tags = np.array([0] * 90 + [1] * 9 + [2])
    found = class_weights(tags, 4)
    assert found[0] < found[1] < found[2] == found[3]  # a tag that never occurs counts as once
    assert found[tags].mean() == pytest.approx(1.0)
    assert found[2] / found[0] == pytest.approx(np.sqrt(90), rel=1e-4)


def test_class_weighting_changes_the_model(encoder: Path, tmp_path: Path) -> None:
    run_job(make_job(encoder, tmp_path / "none"))
    run_job(make_job(encoder, tmp_path / "weighted", class_weighting="inverse_sqrt"))
    assert difference(tmp_path / "none", tmp_path / "weighted") > 1e-3


def test_frozen_embeddings_stay_and_the_rest_learns(encoder: Path, tmp_path: Path) -> None:
    run_job(make_job(encoder, tmp_path, freeze_embeddings=True))
    before, after = weights(encoder), weights(tmp_path)
    name = "bert.embeddings.word_embeddings.weight"
    assert torch.equal(before[name], after[name])
    assert not torch.equal(
        before["bert.embeddings.position_embeddings.weight"], after["bert.embeddings.position_embeddings.weight"]
    )


def test_curves_go_to_tensorboard(encoder: Path, tmp_path: Path) -> None:
    run_job(make_job(encoder, tmp_path, report_to=["tensorboard"]))
    assert list((tmp_path / "trackers").rglob("events.out.tfevents*"))


def test_a_tracker_that_is_not_installed_is_named(
    encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spanloop.training.fit.find_spec", lambda name: None)
    with pytest.raises(TrainingError, match="names trackio, which is not installed"):
        run_job(make_job(encoder, tmp_path, report_to=["trackio"]))


def test_what_is_missing_is_named(encoder: Path, tmp_path: Path) -> None:
    job = make_job(encoder, tmp_path)
    with pytest.raises(TrainingError, match=r"no labels to train on; set task\.labels"):
        run_job(replace(job, labels=[]))
    with pytest.raises(TrainingError, match="no training records"):
        run_job(replace(job, examples=[]))
    with pytest.raises(TrainingError, match="no visible text"):
        run_job(replace(job, examples=[Example("a", "\u200b", ())]))
    with pytest.raises(LabelError, match="record 'r0' has label 'LOC', which is none of: PER"):
        run_job(replace(job, labels=["PER"]))
    with pytest.raises(TrainingError, match=r"encoder '.*nowhere' cannot be loaded"):
        run_job(replace(job, start=str(tmp_path / "nowhere")))


def test_a_checkpoint_that_cannot_be_written_is_one_line(encoder: Path, tmp_path: Path) -> None:
    (tmp_path / "checkpoint").mkdir()
    (tmp_path / "checkpoint" / ".state.pt.tmp").mkdir()
    job = make_job(encoder, tmp_path)
    with pytest.raises(StoreError, match=r"checkpoint .*state\.pt cannot be written \(.*\); free some space"):
        run_job(replace(job, checkpoint_seconds=0.0))


def _environment() -> dict[str, str]:
    support = Path(__file__).parent.parent / "support"
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(support), *sys.path])}


def _interrupt(job: Job, at: int) -> None:
    def stop(progress: TrainProgress) -> None:
        if progress.step == at:
            os.kill(os.getpid(), signal.SIGTERM)

    run_job(replace(job, report=stop))
