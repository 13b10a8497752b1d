"""What a tokenizer drops of the text's surface, and what a model makes of it."""

from collections.abc import Callable
from itertools import accumulate
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny_models import TOKENIZERS, save_tiny_encoder
from tiny_scorers import save_tiny_scorer
from transformers import AutoModelForTokenClassification

from spanloop.config import ScoringConfig, TrainingConfig
from spanloop.model.encoding import Encoder
from spanloop.model.surface import Feature, dropped, surface_classes
from spanloop.records import Example, Span
from spanloop.scoring import predict
from spanloop.spans import tag_names
from spanloop.training.job import Job, run_job
from spanloop.training.pretrained import load_model
from spanloop.training.token_types import teach_surface
from spanloop.words import split_words


def classes_of(*texts: str, features: tuple[Feature, ...] = ("case",)) -> list[int]:
    words = [split_words(text) for text in texts]
    base = [0, *accumulate(len(text) + 1 for text in texts)]
    pairs = [(a + shift, b + shift) for shift, found in zip(base, words, strict=False) for a, b in found]
    starts, stops = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return surface_classes(texts, starts, stops, features).tolist()


def plain_class(word: str) -> int:
    capitals, small = sum(c.isupper() for c in word), any(c.islower() for c in word)
    if not capitals:
        return 0
    if capitals == 1 and word[0].isupper():
        return 1
    return 3 if small else 2


def test_each_word_has_one_of_four_cases() -> None:
    assert classes_of("in Paris NATO eBay iPhone 42 , É 3D", "", "😀 A") == [0, 1, 2, 3, 3, 0, 0, 1, 2, 0, 1]


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_classes_are_those_of_a_plain_count_over_any_text(texts: list[str]) -> None:
    assert classes_of(*texts) == [plain_class(text[a:b]) for text in texts for a, b in split_words(text)]


def test_words_glued_to_others_are_told_from_words_between_white_space() -> None:
    assert classes_of("RT @ada: hi", "(MR)", "a", features=("space",)) == [0, 8, 12, 4, 0, 8, 12, 4, 0]
    assert classes_of("@Ada", features=("case", "space")) == [8, 5]
    assert classes_of("@Ada", features=()) == [0, 0]


@pytest.mark.parametrize(("kind", "lost"), [("wordpiece", ("case", "space")), ("byte_level", ()), ("unigram", ())])
def test_only_what_the_tokenizer_drops_is_shown(kind: str, lost: tuple[Feature, ...]) -> None:
    assert dropped(TOKENIZERS[kind]()) == lost


def test_a_taught_encoder_begins_as_it_was(tmp_path: Path) -> None:
    model, tokenizer = load_model(str(save_tiny_encoder(tmp_path)), tag_names(["PER"]), 0)
    assert dropped(tokenizer) == ("case", "space")
    ids = torch.tensor([[2, 5, 6, 7, 3]])
    model.eval()
    before = model(input_ids=ids).logits
    assert teach_surface(model)
    assert torch.allclose(before, model(input_ids=ids, token_type_ids=torch.tensor([[0, 1, 6, 15, 0]])).logits)


def test_an_encoder_without_token_types_is_left_alone(tmp_path: Path) -> None:
    model = AutoModelForTokenClassification.from_pretrained(save_tiny_scorer(tmp_path, "distilbert"))
    assert not teach_surface(model)


@pytest.mark.parametrize("text", [" ", "\n", "\u200b", ""])
@pytest.mark.parametrize("kind", TOKENIZERS)
def test_a_text_without_words_has_subwords_without_surface(kind: str, text: str) -> None:
    encoded = Encoder(TOKENIZERS[kind](), 16, 4, ("case", "space")).encode([text])
    assert encoded.subword_surface is not None
    assert encoded.subword_surface.tolist() == [0] * len(encoded.subword_ids)


def by_capitals() -> list[Example]:
    """Every second text names someone, and only a capital letter tells."""
    texts = [f"{'Anna' if i % 2 else 'anna'} went home with {i}" for i in range(40)]
    return [Example(f"r{i}", text, (Span(0, 4, "PER"),) if i % 2 else ()) for i, text in enumerate(texts)]


def by_white_space() -> list[Example]:
    """Every second text names someone, and only white space tells: "@anna" is an account."""
    texts = [f"{'@ anna' if i % 2 else '@anna'} went home with {i}" for i in range(40)]
    return [Example(f"r{i}", text, (Span(2, 6, "PER"),) if i % 2 else ()) for i, text in enumerate(texts)]


@pytest.mark.parametrize("shown", [True, False])
@pytest.mark.parametrize("make", [by_capitals, by_white_space])
def test_what_only_the_surface_tells_is_learnt_where_it_is_shown(
    tmp_path: Path, make: Callable[[], list[Example]], shown: bool
) -> None:
    encoder, examples = save_tiny_encoder(tmp_path / "encoder"), make()
    config = TrainingConfig(
        model_name_or_path=str(encoder), learning_rate=3e-3, num_train_epochs=20, min_steps=0, surface_features=shown,
        max_length=32, stride=8, per_device_train_batch_size=8, mixed_precision="no", freeze_embeddings=False,
    )  # fmt: skip
    run_job(Job(examples, ["PER"], config, tmp_path / "model"))
    found = predict(tmp_path / "model", examples, ScoringConfig())
    right = [{s.span for s in found[e.id]} == set(e.spans) for e in examples]
    assert all(right) == shown
