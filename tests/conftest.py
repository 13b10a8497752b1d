"""Fixtures for every test: the real local Argilla, one a session."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults import Proxy, proxy_to

from spanloop.local_argilla import process
from spanloop.local_argilla.process import Running
from spanloop.processes.ports import free_port
from spanloop.processes.watchdog import Watchdog

ROOT = Path(__file__).parent.parent

# One thread, before PyTorch is imported: sums are then in the same order on any number of processors.
os.environ["OMP_NUM_THREADS"] = "1"


def server_environment() -> str:
    """The server environment that all runs of the suite share; made on first use, which takes a minute or two."""
    kept = Path(os.environ.get("SPANLOOP_HOME") or ROOT / ".spanloop") / "server-env"
    return os.environ.get("SPANLOOP_SERVER_ENV") or str(kept.absolute())


@pytest.fixture(scope="session")
def server_environ() -> dict[str, str]:
    """Environment variables under which `spanloop.local_argilla` finds the shared server environment."""
    return {**os.environ, "SPANLOOP_SERVER_ENV": server_environment()}


@pytest.fixture(scope="session")
def argilla_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The spanloop home of the session's Argilla."""
    return tmp_path_factory.mktemp("argilla-home")


@pytest.fixture(scope="session")
def argilla_server(argilla_home: Path, server_environ: dict[str, str]) -> Iterator[Running]:
    """The real Argilla server with our search engine, as `spanloop argilla start` starts it: `.url`, `.api_key`, ….

    It is shared by the whole session: a test makes its own workspace or data set, under a name of its own.
    """
    running = process.start(argilla_home, port=free_port(), environ=server_environ)
    watchdog = Watchdog()
    watchdog.hold(running.pid)  # a suite that is killed takes its server along
    try:
        yield running
    finally:
        process.stop(argilla_home)
        watchdog.close()


@pytest.fixture
def proxy(argilla_server: Running) -> Iterator[Proxy]:
    """A proxy before the session's Argilla, which does harm when told."""
    with proxy_to(argilla_server.url) as running:
        yield running


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever uses the server is marked `argilla`."""
    for item in items:
        if "argilla_server" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.argilla)
