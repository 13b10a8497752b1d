"""The recipe: rates, schedule, steps, batches, targets."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import LABELS, save_tiny_encoder, wordpiece
from transformers import AutoConfig, AutoModelForTokenClassification

from spanloop.config import TrainingConfig
from spanloop.model.encoding import Encoder
from spanloop.model.tag_scheme import TagScheme
from spanloop.records import Example, Span
from spanloop.spans import tag_names
from spanloop.training.batching import epoch_steps, share
from spanloop.training.pretrained import load_model
from spanloop.training.recipe import (
    HEAD_STEP,
    Schedule,
    head_ratio,
    learning_rate,
    make_schedule,
    output_size,
    parameter_groups,
)
from spanloop.training.targets import IGNORED, make_targets

sizes = st.lists(st.integers(1, 60), min_size=1, max_size=80).map(np.array)


def test_tiny_data_gets_the_fewest_steps_and_large_data_its_epochs() -> None:
    config = TrainingConfig(num_train_epochs=10, min_steps=150, per_device_train_batch_size=16)
    assert make_schedule(16, config).steps == 150
    assert make_schedule(1600, config).steps == 1000
    halved = config.model_copy(update={"gradient_accumulation_steps": 2})
    assert make_schedule(1600, halved).steps == 500
    assert make_schedule(1600, halved, processes=5).steps == 150
    assert make_schedule(1600, config, processes=2).windows == 32


def test_a_fold_takes_the_steps_of_all_records() -> None:
    config = TrainingConfig(num_train_epochs=10, min_steps=150, per_device_train_batch_size=16)
    whole, fold = make_schedule(1600, config), make_schedule(800, config, of_all=1600)
    assert (fold.steps, fold.warmup, fold.per_epoch) == (whole.steps, whole.warmup, 50)


def test_the_rate_rises_then_falls_to_zero() -> None:
    schedule = Schedule(windows=8, per_epoch=10, steps=100, warmup=10)
    factors = [schedule.factor(step) for step in range(101)]
    assert all(np.diff(factors[:11]) > 0)
    assert all(np.diff(factors[10:]) < 0)
    assert max(factors) == factors[10] == 1.0
    assert factors[100] == 0.0


def test_the_head_learns_faster_and_biases_and_norms_do_not_decay(tmp_path: Path) -> None:
    model, _ = load_model(str(save_tiny_encoder(tmp_path)), tag_names(LABELS), 0)
    config = TrainingConfig(learning_rate=1e-4, head_learning_rate_ratio=5, weight_decay=0.1)
    groups = parameter_groups(model, config, outputs=1.0)
    rate_of = {id(p): (group["lr"], group["weight_decay"]) for group in groups for p in group["params"]}
    assert rate_of[id(model.classifier.weight)] == (pytest.approx(5e-4), 0.1)
    assert rate_of[id(model.classifier.bias)] == (pytest.approx(5e-4), 0.0)
    layer = model.bert.encoder.layer[0]
    assert rate_of[id(layer.output.dense.weight)] == (1e-4, 0.1)
    assert rate_of[id(layer.output.LayerNorm.weight)] == (1e-4, 0.0)


def test_a_step_moves_the_logits_of_any_encoder_as_far(tmp_path: Path) -> None:
    model, tokenizer = load_model(str(save_tiny_encoder(tmp_path)), tag_names(LABELS), 0)
    texts = ["Ada lives in Paris .", "Rome is old ."]
    outputs = output_size(model, tokenizer, texts)
    steps = [head_ratio(model, TrainingConfig(), outputs) * learning_rate(model, TrainingConfig()) * outputs]
    norm = model.bert.encoder.layer[-1].output.LayerNorm
    with torch.no_grad():
        norm.weight.div_(4)
        norm.bias.div_(4)
    smaller = output_size(model, tokenizer, texts)
    assert smaller == pytest.approx(outputs / 4, rel=0.02)
    steps.append(head_ratio(model, TrainingConfig(), smaller) * learning_rate(model, TrainingConfig()) * smaller)
    assert steps == pytest.approx([HEAD_STEP, HEAD_STEP])
    assert head_ratio(model, TrainingConfig(head_learning_rate_ratio=10), outputs) == 10


SMALL = {"hidden_size": 384, "num_hidden_layers": 6, "intermediate_size": 1536}
BASE = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072}
LARGE = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096}


@pytest.mark.parametrize(
    ("architecture", "sizes", "rate"),
    [
        ("bert", SMALL, 2e-4),
        ("bert", {**SMALL, "vocab_size": 250_002}, 2e-4),
        ("bert", BASE, 5e-5),
        ("roberta", {**BASE, "vocab_size": 50_265}, 5e-5),
        ("xlm-roberta", {**BASE, "vocab_size": 250_002}, 5e-5),
        ("albert", BASE, 5e-5),
        ("bert", LARGE, 2.1e-5),
        ("distilbert", {}, 8e-5),
        ("t5", {"d_model": 768, "d_ff": 3072, "num_layers": 12, "num_heads": 12}, 5e-5),
        ("bert", {**SMALL, "hidden_size": 24}, 6e-4),
    ],
)
def test_the_rate_follows_the_weights_that_learn(architecture: str, sizes: dict[str, int], rate: float) -> None:
    with torch.device("meta"):
        model = AutoModelForTokenClassification.from_config(AutoConfig.for_model(architecture, **sizes))
    for freeze in (False, True):
        model.get_input_embeddings().requires_grad_(not freeze)
        assert learning_rate(model, TrainingConfig()) == pytest.approx(rate, rel=0.03)
    assert learning_rate(model, TrainingConfig(learning_rate=1e-3)) == 1e-3


@given(n_windows=st.integers(1, 200), per_step=st.integers(1, 16), epoch=st.integers(0, 3))
def test_every_window_is_dealt_once_an_epoch_and_the_same_way_again(n_windows: int, per_step: int, epoch: int) -> None:
    steps = epoch_steps(n_windows, per_step, seed=5, epoch=epoch)
    assert sorted(np.concatenate(steps).tolist()) == list(range(n_windows))
    assert [len(step) for step in steps[:-1]] == [per_step] * (len(steps) - 1)
    again = epoch_steps(n_windows, per_step, seed=5, epoch=epoch)
    assert all(np.array_equal(a, b) for a, b in zip(steps, again, strict=True))


@settings(max_examples=60, deadline=None)
@given(lengths=sizes, processes=st.integers(1, 4))
def test_processes_share_a_step_evenly(lengths: np.ndarray, processes: int) -> None:
    rows = np.arange(len(lengths))
    shares = [share(rows, lengths, rank, processes) for rank in range(processes)]
    assert sorted(np.concatenate(shares).tolist()) == rows.tolist()
    loads = [int(lengths[mine].sum()) for mine in shares]
    assert max(loads) - min(loads) <= lengths.max()


def test_targets_lie_on_first_subwords_or_on_all() -> None:
    encoder = Encoder(wordpiece(), 32, 0)
    example = Example("a", "Zürichsee is in Zermattland.", (Span(0, 9, "LOC"), Span(16, 27, "LOC")))
    first = make_targets(encoder, [example], TagScheme(tuple(LABELS)), "first")
    every = make_targets(encoder, [example], TagScheme(tuple(LABELS)), "all")
    subwords = int((first.encoded.subword_word == 0).sum())
    assert subwords > 1
    assert first.word_tags[:, 0].tolist() == [3, 0, 0, 3, 0]
    assert first.subword_tags[:subwords, 0].tolist() == [3, *[IGNORED] * (subwords - 1)]
    assert every.subword_tags[:subwords, 0].tolist() == [3, *[4] * (subwords - 1)]
    assert not (every.subword_tags == IGNORED).any()


def test_a_span_inside_a_word_is_trained_as_the_word_and_named() -> None:
    example = Example("r7", "Parisian", (Span(0, 5, "LOC"),))
    targets = make_targets(Encoder(wordpiece(), 32, 0), [example], TagScheme(tuple(LABELS)), "first")
    assert targets.word_tags.tolist() == [[3]]
    assert [(lost.record_id, lost.reason) for lost in targets.lost] == [("r7", "boundary")]
