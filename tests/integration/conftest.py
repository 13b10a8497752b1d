"""What the tests against the real Argilla share: a dataset of its own for every test."""

import re
import uuid
from collections.abc import Callable, Iterator

import pytest

from spanloop.argilla import ArgillaClient, DatasetRef, ensure_dataset
from spanloop.config import ArgillaConfig, LoopConfig, TaskConfig
from spanloop.importing import Imported
from spanloop.importing.upload import import_records
from spanloop.local_argilla.process import Running
from spanloop.records import Span

Spans = tuple[tuple[int, int, str], ...]
Fill = Callable[..., DatasetRef]


@pytest.fixture
def loop(argilla_server: Running, request: pytest.FixtureRequest) -> LoopConfig:
    """A configuration with a dataset that no other test uses."""
    name = re.sub(r"\W+", "-", request.node.name)[:60] + f"-{uuid.uuid4().hex[:6]}"
    argilla = ArgillaConfig(api_url=argilla_server.url, dataset=name, timeout_seconds=30)
    return LoopConfig(argilla=argilla, task=TaskConfig(labels=["person", "place"]))


@pytest.fixture
def client(argilla_server: Running, loop: LoopConfig) -> Iterator[ArgillaClient]:
    """A connection of the owner."""
    with ArgillaClient(argilla_server.url, argilla_server.api_key, timeout=30) as connected:
        yield connected


@pytest.fixture
def fill(client: ArgillaClient, loop: LoopConfig) -> Fill:
    """Create the dataset and import texts by id; `as_` says what becomes of the spans given with them."""

    def fill_(texts: dict[str, str], spans: dict[str, Spans] | None = None, as_: str = "nothing") -> DatasetRef:
        dataset = ensure_dataset(client, loop)
        found = {name: tuple(Span(*x) for x in marked) for name, marked in (spans or {}).items()}
        records = [Imported(name, name, text, found.get(name), name) for name, text in texts.items()]
        import_records(client, dataset, records, loop, annotations=as_)
        return dataset

    return fill_
