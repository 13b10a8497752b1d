"""A loop small enough to run in seconds: a tiny encoder, simple sentences, the real Argilla, one Prefect server."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import torch
from forked_rounds import ForkedRounds
from sentences import Sentence, tiny_encoder
from world import World

from spanloop.local_argilla.process import Running


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One temporary Prefect server for all flow runs of the session, with a home of its own."""
    from spanloop.services.prefect_environment import prepare_prefect

    before = dict(os.environ)
    os.environ["PREFECT_HOME"] = str(tmp_path_factory.mktemp("prefect"))
    prepare_prefect(os.environ)
    from prefect.testing.utilities import prefect_test_harness

    os.environ.clear()  # Prefect has read them; the services of other tests must not
    os.environ.update(before)
    with prefect_test_harness(server_startup_timeout=120):
        yield


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random two-layer BERT with a tokenizer trained on the spot."""
    return tiny_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture
def make_world(
    argilla_server: Running, encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[list[Sentence]], World]]:
    """Make a loop with a dataset and a store of its own: `make_world(sentences)`."""
    monkeypatch.setenv("ARGILLA_API_KEY", argilla_server.api_key)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # of processes started here; this one has read it already
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # two threads for a tiny model wait for each other more than they work

    def make(sentences: list[Sentence]) -> World:
        name = f"loop-{uuid4().hex[:8]}"
        return World.create(argilla_server.url, name, sentences, store=tmp_path / name, encoder=encoder)

    yield make
    torch.set_num_threads(threads)


@pytest.fixture
def rounds(tmp_path: Path, make_world: Callable[..., World]) -> Iterator[ForkedRounds]:
    """Runs rounds in forks of one process."""
    (folder := tmp_path / "rounds").mkdir()
    with ForkedRounds(folder, os.environ) as rounds:
        yield rounds
