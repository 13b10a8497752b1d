"""What a plain pipeline of transformers loses is measured with one, and stands in the model card."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_models import LABELS, people_and_places, save_tiny_encoder
from transformers import pipeline

from spanloop.config import TrainingConfig
from spanloop.evaluation.counts import record_counts, total
from spanloop.model.device import find_device
from spanloop.records import Example, ScoredSpan
from spanloop.training import plain
from spanloop.training.checkpoint import Checkpoint
from spanloop.training.fit import Fit, make_accelerator
from spanloop.training.job import Job, run_job
from spanloop.training.stopping import StopWish

EXAMPLES = people_and_places(40)


def make_job(tmp_path: Path, kind: str, **changes: Any) -> Job:
    quick = {
        "model_name_or_path": str(save_tiny_encoder(tmp_path / "encoder", kind)), "learning_rate": 3e-3,
        "num_train_epochs": 12, "min_steps": 0, "max_length": 32, "stride": 8, "freeze_embeddings": False,
        "mixed_precision": "no", "folds": 2,
    }  # fmt: skip
    return Job(EXAMPLES, LABELS, TrainingConfig.model_validate({**quick, **changes}), tmp_path / "model")


def by_pipeline(folder: Path, examples: list[Example], strategy: str) -> dict[str, list[ScoredSpan]]:
    """What a user of the folder gets."""
    pipe = pipeline("token-classification", str(folder), aggregation_strategy=strategy)
    found = {e.id: pipe(e.text) for e in examples}
    return {
        name: [ScoredSpan(x["start"], x["end"], x["entity_group"], float(x["score"])) for x in spans]
        for name, spans in found.items()
    }


@pytest.mark.parametrize("precision", ["no", "bf16"])
@pytest.mark.parametrize("kind", ["wordpiece", "byte_level"])
def test_what_is_measured_is_what_a_pipeline_finds_in_the_saved_model(
    kind: str, precision: str, tmp_path: Path
) -> None:
    """Although training has put its own attention, number format and dropout into the model."""
    job = make_job(tmp_path, kind, mixed_precision=precision, surface_features=False)
    device = find_device(precision, training=True)
    accelerator, left_out = make_accelerator(job, device, tracked=False), np.arange(20)
    fit = Fit(job, accelerator, device, left_out=left_out, earlier=0, trainings=1)
    fit.train(StopWish(lambda: None), Checkpoint(tmp_path / "checkpoint", job.key, "fold"))
    reading = fit.read_plainly()
    fit.plain_model.save_pretrained(tmp_path / "saved")
    fit.tokenizer.save_pretrained(tmp_path / "saved")

    unseen = EXAMPLES[:20]
    assert reading.texts.tolist() == left_out.tolist()
    for strategy, counted in zip(plain.STRATEGIES, reading.counts.tolist(), strict=True):
        counts = total(record_counts(unseen, by_pipeline(tmp_path / "saved", unseen, strategy)))
        assert counted == [counts.correct, counts.predicted]
        assert counts.predicted > 0


def test_the_card_names_the_loss(tmp_path: Path) -> None:
    """The tokenizer drops capitals, which names are told by; the pipeline does not show them to the model."""
    result = run_job(make_job(tmp_path, "wordpiece"))
    assert result.plain_records == 40
    assert result.plain_ours == result.out_of_fold_f1
    assert result.plain_ours is not None
    assert max(result.plain_f1.values()) < result.plain_ours - 0.1
    card = (tmp_path / "model" / "README.md").read_text()
    simple, first = (f"{result.plain_f1[strategy]:.4f}" for strategy in ("simple", "first"))
    assert f'exact-span F1 {simple}\nwith `aggregation_strategy="simple"` and {first} with' in card
    assert f"where `spanloop.load` has {result.plain_ours:.4f}, on 40\nof these records" in card


def test_long_texts_are_not_counted_and_of_many_only_some_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain, "_MOST", 10)
    long = Example("long", " ".join(e.text for e in EXAMPLES), ())
    job = make_job(tmp_path, "byte_level", num_train_epochs=1)
    result = run_job(Job([*EXAMPLES, long], LABELS, job.config, job.out))
    assert 8 <= result.plain_records <= 10


def test_without_folds_nothing_is_measured_or_said(tmp_path: Path) -> None:
    result = run_job(make_job(tmp_path, "byte_level", folds=0, num_train_epochs=1))
    assert (result.plain_f1, result.plain_records) == ({}, 0)
    assert "aggregation_strategy" not in (tmp_path / "model" / "README.md").read_text()


def test_an_encoder_that_no_pipeline_reads_is_trained_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: Any, **__: Any) -> Callable[..., Any]:
        raise ValueError("no such thing\nas this")

    monkeypatch.setattr("transformers.pipeline", refuse)
    with caplog.at_level(logging.WARNING):
        result = run_job(make_job(tmp_path, "byte_level", num_train_epochs=1))
    assert (result.plain_f1, result.plain_records) == ({}, 0)
    assert "train: a plain pipeline cannot read this encoder: no such thing" in caplog.text
