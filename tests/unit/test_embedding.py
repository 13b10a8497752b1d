"""Texts as vectors from an encoder that nobody has trained, and the book that keeps them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small_devices import OUT_OF_MEMORY, limit_memory
from tiny_models import SENTENCES, people_and_places, save_tiny_encoder, wordpiece
from transformers import BertConfig, BertForTokenClassification

from spanloop.config import ScoringConfig, TrainingConfig
from spanloop.errors import StoreError, TrainingError
from spanloop.rounds.vectorbook import VectorBook
from spanloop.scoring import embed
from spanloop.scoring.embedding import DIMENSIONS, Halves

PLAIN = [example.text for example in people_and_places(6)]
WIDTH = 32  # of the tiny encoder
ODD = ["", " \n", "\u200b", "\ud800", "👩\u200d👩\u200d👧 Ada"]

pytestmark = pytest.mark.usefixtures("on_cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_encoder(tmp_path_factory.mktemp("encoder"))


def embedded(folder: Path, texts: list[str], **scoring: Any) -> dict[str, Halves]:
    training = TrainingConfig(model_name_or_path=str(folder), max_length=64, stride=16)
    return dict(embed(zip(texts, texts, strict=True), training, ScoringConfig(**scoring)))


def mean_of_states(folder: Path, text: str) -> Any:
    """By Hugging Face alone, as a unit vector."""
    model: Any = BertForTokenClassification.from_pretrained(folder).eval()
    with torch.inference_mode():
        states = model.base_model(torch.tensor([wordpiece()(text)["input_ids"]]))[0][0, 1:-1]
    mean = states.mean(dim=0).numpy()
    return mean / np.linalg.norm(mean)


def test_a_vector_is_the_mean_of_the_last_hidden_states(folder: Path) -> None:
    for text, vector in embedded(folder, PLAIN).items():
        assert vector.shape == (DIMENSIONS,)
        assert vector[:WIDTH] == pytest.approx(mean_of_states(folder, text), abs=2e-3)
        assert not vector[WIDTH:].any()


def test_any_text_has_a_vector_and_one_without_subwords_is_zero(folder: Path) -> None:
    long = "Ada met Bo in Oslo. " * 100
    found = embedded(folder, [*ODD, long])
    assert list(found) == [*ODD, long]
    assert not found[""].any()
    assert not found[" \n"].any()
    assert np.linalg.norm(found[long].astype(float)) == pytest.approx(1.0, abs=1e-2)


def test_a_wide_encoder_is_projected_and_angles_stay(tmp_path: Path) -> None:
    tokenizer: Any = wordpiece()
    sizes = {"hidden_size": 512, "num_hidden_layers": 1, "num_attention_heads": 4, "intermediate_size": 64}
    torch.manual_seed(0)
    model = BertForTokenClassification(BertConfig(vocab_size=len(tokenizer), max_position_embeddings=70, **sizes))
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    vectors = np.stack(list(embedded(tmp_path, PLAIN).values())).astype(float)
    wide = np.stack([mean_of_states(tmp_path, text) for text in PLAIN])
    assert vectors.shape == (len(PLAIN), DIMENSIONS)
    assert np.abs(vectors @ vectors.T - wide @ wide.T).max() < 0.2  # of angles about 1/sqrt(384) = 0.05


@pytest.mark.parametrize("fail", OUT_OF_MEMORY)
def test_out_of_memory_halves_the_batches(
    fail: Callable[[], None], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = embedded(folder, SENTENCES * 5)
    sizes = limit_memory(monkeypatch, BertForTokenClassification, 200, fail)
    found = embedded(folder, SENTENCES * 5)
    assert max(sizes) > 200
    assert all(found[text] == pytest.approx(wanted[text], abs=2e-3) for text in SENTENCES)


def test_an_encoder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"encoder '.*none' cannot be used \(.*\); check training.model_name_or"):
        embedded(tmp_path / "none", ["a text"])


def vectors_of(*texts: str) -> list[tuple[str, Halves]]:
    return [(text, np.full(DIMENSIONS, 1 / (1 + len(text)), dtype=np.float16)) for text in texts]


def same(book: VectorBook, text: str) -> bool:
    found = book.get(text)
    return found is not None and (found == vectors_of(text)[0][1]).all().item()


def test_vectors_come_back_and_a_row_that_a_crash_cut_off_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "embeddings.f16"
    VectorBook(path).add(vectors_of("Anna", "Bert", "Clara"))
    path.write_bytes(path.read_bytes()[:-7])
    book = VectorBook(path)
    assert same(book, "Anna")
    assert same(book, "Bert")
    assert book.get("Clara") is None
    book.add(vectors_of("Clara", "Dora"))
    assert all(same(VectorBook(path), text) for text in ("Anna", "Bert", "Clara", "Dora"))


def test_a_damaged_row_costs_its_text_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "embeddings.f16"
    VectorBook(path).add(vectors_of("Anna", "Bert"))
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    book = VectorBook(path)
    assert book.get("Anna") is None
    assert same(book, "Bert")
    assert "1 rows are damaged; those texts are embedded again" in caplog.text


def test_what_was_embedded_before_a_failure_is_kept(tmp_path: Path) -> None:
    def made() -> Iterator[tuple[str, Halves]]:
        yield from vectors_of(*(f"text {i}" for i in range(2000)))
        raise StoreError("the disk is full")

    book = VectorBook(tmp_path / "embeddings.f16")
    with pytest.raises(StoreError):
        book.add(made())
    assert len(VectorBook(tmp_path / "embeddings.f16")) >= 1000


def test_a_book_without_a_file_lives_in_memory() -> None:
    book = VectorBook(None)
    book.add(vectors_of("Anna"))
    assert same(book, "Anna")
    assert len(book) == 1


def test_two_who_write_at_once_lose_nothing(tmp_path: Path) -> None:
    one, other = VectorBook(tmp_path / "embeddings.f16"), VectorBook(tmp_path / "embeddings.f16")
    one.add(vectors_of("Anna"))
    other.add(vectors_of("Bert"))
    one.add(vectors_of("Clara"))
    assert len(VectorBook(tmp_path / "embeddings.f16")) == 3
