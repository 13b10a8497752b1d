"""A model in three lines of Python: by its folder, or by the store that it serves."""

import subprocess
import sys
from pathlib import Path
from shutil import copytree

import pytest
from tiny_scorers import save_tiny_scorer

import spanloop
from spanloop.config import ScoringConfig
from spanloop.errors import ArtifactDamaged, StoreError, TrainingError
from spanloop.scoring import Scorer
from spanloop.store import Store

TEXT = "Ada Lovelace met Bo in Paris. 🚆 Was it São Paulo?"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_scorer(tmp_path_factory.mktemp("model"))


@pytest.fixture
def store(folder: Path, tmp_path: Path) -> Store:
    """A store with one model, which is not in service."""
    store = Store(tmp_path / "store")
    store.publish("models", "m0001-aaaaaaaa", lambda to: copytree(folder, to, dirs_exist_ok=True) and None)
    return store


def test_one_text_gives_its_spans_and_several_give_lists_of_them(folder: Path) -> None:
    model = spanloop.load(str(folder))
    spans = model(TEXT)
    assert spans
    (scored,) = Scorer.load(folder, ScoringConfig()).score([("x", TEXT)])
    assert spans == list(scored.spans)
    assert all(0 <= s.start < s.end <= len(TEXT) and s.label in model.labels and 0 <= s.score <= 1 for s in spans)
    assert model([TEXT, "", TEXT]) == [spans, [], spans]
    assert model(text for text in (TEXT,)) == [spans]
    assert model([]) == []
    assert model("") == []


def test_a_configuration_says_how_to_score(folder: Path) -> None:
    assert spanloop.load(folder, ScoringConfig(min_score=1.0))(TEXT) == []


def test_a_store_gives_the_model_in_service(store: Store, folder: Path) -> None:
    with pytest.raises(StoreError, match="has no model in service yet; 'spanloop run' says what it needs"):
        spanloop.load(store.root)
    store.set_champion("m0001-aaaaaaaa")
    model = spanloop.load(store.root)
    assert model.folder == store.path("models", "m0001-aaaaaaaa")
    assert model(TEXT) == spanloop.load(folder)(TEXT)


def test_a_damaged_model_is_not_loaded_from_a_store(store: Store) -> None:
    store.set_champion("m0001-aaaaaaaa")
    (store.path("models", "m0001-aaaaaaaa") / "model.safetensors").write_bytes(b"")
    with pytest.raises(ArtifactDamaged, match="is corrupt"):
        spanloop.load(store.root)


def test_what_is_no_model_is_told_and_stays_as_it_is(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(TrainingError, match=r"is not a model of spanloop: it has no spanloop\.json"):
            spanloop.load(place)
    assert list(tmp_path.iterdir()) == []


def test_pytorch_is_imported_by_loading_and_not_before() -> None:
    code = "import sys, spanloop; assert callable(spanloop.load); print('torch' in sys.modules, 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
