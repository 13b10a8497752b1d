"""Every family that users pick is trained, saved, loaded and scored with; what cannot be is refused before training."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_devices import limit_memory
from snapshots import people_snapshot
from tiny_families import ARCHITECTURES, save_tiny_family, sizes_of
from tiny_models import committed, people_and_places, wordpiece
from transformers import AutoConfig, AutoModel, DebertaV2ForTokenClassification

from spanloop.config import ScoringConfig, TrainingConfig
from spanloop.errors import TrainingError
from spanloop.scoring import ScoredText, Scorer, embed
from spanloop.training import train

EXAMPLES = people_and_places(8)
LONG = " ".join(example.text for example in EXAMPLES * 3)


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return people_snapshot(tmp_path_factory.mktemp("store"))


def train_on(snapshot: Path, encoder: Path, out: Path, **changes: Any) -> Path:
    quick = {"num_train_epochs": 1, "min_steps": 3, "folds": 0, "max_length": 32, "stride": 8, "mixed_precision": "no"}
    config = TrainingConfig.model_validate({"model_name_or_path": str(encoder), **quick, **changes})
    train(snapshot, config, out)
    return out


def scored_by(folder: Path, **changes: Any) -> list[ScoredText]:
    config = ScoringConfig.model_validate({"mc_dropout_passes": 2, "min_score": 0, **changes})
    texts = [example.text for example in EXAMPLES] + [LONG, ""]
    return list(Scorer.load(folder, config).score(zip("abcdefghij", texts, strict=True)))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_family_is_trained_saved_loaded_and_scored_with(architecture: str, snapshot: Path, tmp_path: Path) -> None:
    encoder = save_tiny_family(tmp_path / "encoder", architecture)
    folder = train_on(snapshot, encoder, tmp_path / "model")
    for scored in scored_by(folder), scored_by(folder, backend="int8"):
        assert [s.id for s in scored] == list("abcdefghij")
        for one in scored[:-1]:
            assert 0 < one.statistics.mnlp < 10
            assert one.statistics.bald
    scorer = Scorer.load(folder, ScoringConfig(min_score=0))
    for one, (alone,) in zip(scored_by(folder), (scorer.score([(e.id, e.text)]) for e in EXAMPLES), strict=False):
        assert alone.statistics.mnlp == pytest.approx(one.statistics.mnlp, abs=1e-4)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_family_embeds_texts_before_it_is_trained(architecture: str, tmp_path: Path) -> None:
    config = TrainingConfig(model_name_or_path=str(save_tiny_family(tmp_path, architecture)), max_length=32, stride=8)
    texts = {example.text: example.text for example in EXAMPLES} | {"long": LONG}
    found = dict(embed(texts.items(), config, ScoringConfig()))
    assert list(found) == list(texts)
    lengths = [np.linalg.norm(vector.astype(float)) for vector in found.values()]
    assert lengths == pytest.approx([1.0] * len(lengths), abs=1e-2)


def test_a_padding_id_behind_all_others_is_as_good_as_any(snapshot: Path, tmp_path: Path) -> None:
    tokenizer = committed("wordpiece", pad_token="[LAST]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]")
    assert tokenizer.pad_token_id == len(tokenizer) - 1
    encoder = save_tiny_family(tmp_path / "encoder", "bert", vocab_size=len(tokenizer), pad_token_id=len(tokenizer) - 1)
    tokenizer.save_pretrained(encoder)
    assert len(scored_by(train_on(snapshot, encoder, tmp_path / "model"))) == 10


def test_passes_of_an_encoder_without_dropout_disagree_at_its_head(snapshot: Path, tmp_path: Path) -> None:
    none = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    encoder = save_tiny_family(tmp_path / "encoder", "bert", **none)
    folder = train_on(snapshot, encoder, tmp_path / "model")
    found, again = scored_by(folder), scored_by(folder)
    assert [s.statistics.bald for s in found] == [s.statistics.bald for s in again]
    assert len({s.statistics.bald for s in found[:-1]}) > 5
    assert [s.spans for s in found] == [s.spans for s in scored_by(folder, mc_dropout_passes=0)]


@pytest.mark.parametrize(
    ("architecture", "reason"),
    [("bros", "You have to specify bbox"), ("canine", "they have no vocabulary"), ("bart", "has no token classifier")],
)
def test_a_family_that_cannot_work_is_refused_before_training(
    architecture: str, reason: str, snapshot: Path, tmp_path: Path
) -> None:
    tokenizer = wordpiece()
    sizes = sizes_of(architecture, len(tokenizer), 0)
    config = AutoConfig.for_model(architecture, **sizes)
    if architecture != "bart":
        AutoModel.from_config(config).save_pretrained(tmp_path / "encoder")
    config.save_pretrained(tmp_path / "encoder")
    tokenizer.save_pretrained(tmp_path / "encoder")
    with pytest.raises(
        TrainingError, match=rf"^encoders of type {architecture} cannot be trained \(.*{reason}.*choose"
    ):
        train_on(snapshot, tmp_path / "encoder", tmp_path / "model")
    with pytest.raises(TrainingError, match=r"^encoder .* cannot be used \(.*check training.model_name_or_path"):
        next(embed([("a", "b")], TrainingConfig(model_name_or_path=str(tmp_path / "encoder")), ScoringConfig()))
    assert not list((tmp_path / "model").glob("*.safetensors"))


def test_padding_counts_in_the_budget_of_training(
    snapshot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = save_tiny_family(tmp_path / "encoder", "deberta-v2")
    sizes = limit_memory(monkeypatch, DebertaV2ForTokenClassification, tokens=10**9)
    train_on(snapshot, encoder, tmp_path / "model", max_tokens_per_batch=100)
    assert 64 < max(sizes) <= 100
