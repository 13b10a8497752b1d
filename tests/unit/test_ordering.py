"""From records and scores to the queue: embeddings are made where they are looked at, kept, and never missed."""

from pathlib import Path

import pytest
from tiny_models import people_and_places, save_tiny_encoder

from spanloop.config import LoopConfig
from spanloop.records import Annotation, Statistics
from spanloop.rounds.ordering import Queue, put_in_order
from spanloop.selection import Pending

EXAMPLES = people_and_places(40)
PENDING = [Pending(e.id, e.id, e.text) for e in EXAMPLES[:30]]
ANNOTATED = [Annotation(e.id, e.text, e.id, e.spans, ("someone",), None) for e in EXAMPLES[30:]]
SCORED = [Pending(r.id, r.group, r.text, Statistics(5, *[i / 30] * 5)) for i, r in enumerate(PENDING)]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_encoder(tmp_path_factory.mktemp("encoder"))


def configured(encoder: Path | str, **selection: object) -> LoopConfig:
    training = {"model_name_or_path": str(encoder), "max_length": 64, "stride": 16}
    return LoopConfig.model_validate({"training": training, "selection": selection})


def in_order(queue: Queue) -> list[str]:
    return sorted(queue["priority"], key=lambda i: -queue["priority"][i])


def test_before_the_first_model_the_pool_is_embedded_once(encoder: Path, tmp_path: Path) -> None:
    config = configured(encoder)
    queue = put_in_order(PENDING, config, annotated=ANNOTATED, cache=tmp_path)
    (kept,) = tmp_path.glob("embeddings-*.f16")
    made = kept.stat()
    assert len(queue["priority"]) == 30
    assert queue["uncertainty"] == {}
    assert put_in_order(PENDING[::-1], config, annotated=ANNOTATED[::-1], cache=tmp_path) == queue
    assert kept.stat() == made
    assert put_in_order(PENDING, config, annotated=ANNOTATED) == queue  # nothing kept, the same queue
    assert in_order(queue) != in_order(put_in_order(PENDING, configured(encoder, cold_start="random")))


def test_a_damaged_cache_is_made_again(encoder: Path, tmp_path: Path) -> None:
    config = configured(encoder)
    queue = put_in_order(PENDING, config, cache=tmp_path)
    (kept,) = tmp_path.glob("embeddings-*.f16")
    whole = kept.read_bytes()
    for damage in (whole[:1000], b"\xff" * len(whole), whole[:300] + b"no vector" + whole[309:]):
        kept.write_bytes(damage)
        assert put_in_order(PENDING, config, cache=tmp_path) == queue


def test_without_an_encoder_words_tell_texts_apart(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    steps = {"duplicates": 1.0, "diversity": 0.5}
    queue = put_in_order(PENDING, configured(tmp_path / "none", steps=steps), annotated=ANNOTATED, cache=tmp_path)
    assert sorted(queue["priority"]) == sorted(r.id for r in PENDING)
    assert "cannot be used" in caplog.text
    assert "texts are compared by their words" in caplog.text


def test_nobody_looks_at_embeddings_nothing_is_embedded(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    config = configured(tmp_path / "none", steps={"cost": 1.0, "duplicates": 1.0, "groups": 1.0})
    put_in_order(SCORED, config, annotated=ANNOTATED, cache=tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert caplog.text == ""


def test_diversity_of_scored_records_asks_for_embeddings(encoder: Path, tmp_path: Path) -> None:
    by_vectors = put_in_order(
        SCORED, configured(encoder, steps={"diversity": 0.9}), annotated=ANNOTATED, cache=tmp_path
    )
    by_words = put_in_order(SCORED, configured(tmp_path / "none", steps={"diversity": 0.9}), annotated=ANNOTATED)
    assert len(list(tmp_path.glob("embeddings-*.f16"))) == 1
    assert in_order(by_vectors) != in_order(by_words)


def test_another_encoder_in_the_same_folder_has_a_cache_of_its_own(tmp_path: Path) -> None:
    folder, cache = save_tiny_encoder(tmp_path / "encoder"), tmp_path / "cache"
    cache.mkdir()
    put_in_order(PENDING, configured(folder), cache=cache)
    save_tiny_encoder(folder)
    put_in_order(PENDING, configured(folder), cache=cache)
    assert len(list(cache.glob("embeddings-*.f16"))) == 2


@pytest.mark.parametrize("strategy", ["mnlp", "expected_errors", "reweighted_mnlp", "typiclust", "random"])
def test_a_record_without_statistics_is_served(strategy: str, encoder: Path) -> None:
    mixed = [*SCORED[:20], *PENDING[20:]]
    steps = {"cost": 0.5, "duplicates": 1.0, "groups": 0.5, "diversity": 0.5}
    queue = put_in_order(mixed, configured(encoder, strategy=strategy, steps=steps), annotated=ANNOTATED)
    assert sorted(queue["priority"]) == sorted(r.id for r in mixed)
    assert set(queue["uncertainty"]) == {r.id for r in SCORED[:20]}
