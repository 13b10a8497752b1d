"""Everything on one machine: Argilla, a Prefect server, and a worker with the deployments."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from spanloop.config import LoopConfig
from spanloop.errors import ServiceError, SpanloopError
from spanloop.local_argilla import process
from spanloop.local_argilla.health import is_argilla
from spanloop.local_argilla.log import log_path
from spanloop.local_argilla.state import running_state
from spanloop.processes import ports
from spanloop.processes.files import file_lock, writing
from spanloop.processes.supervisor import Say, Supervisor
from spanloop.services import deployments, orphans, prefect
from spanloop.services.prefect import Place
from spanloop.services.prefect_api import PrefectApi


@dataclass(frozen=True, slots=True)
class ServiceOptions:
    """What to start.

    Attributes:
        place: Where it runs and keeps its files.
        read_config: Reads the configuration; asked again when `config_file` changes.
        definition: The definition of the deployments.
        host: Address that Prefect listens on.
        port: Port that Prefect listens on.
        with_argilla: Whether to start Argilla too, where the configuration says that it is local.
    """

    place: Place
    read_config: Callable[[], LoopConfig]
    config_file: Path
    definition: Path = field(default_factory=deployments.definition_path)
    host: str = "127.0.0.1"
    port: int = prefect.PORT
    with_argilla: bool = True


@dataclass(frozen=True, slots=True)
class Links:
    """Where to look.

    Attributes:
        argilla: The annotators' web UI.
        prefect: The Prefect web UI.
        deployments: Each deployment's page, by name.
    """

    argilla: str
    prefect: str
    deployments: dict[str, str]


def run_all(options: ServiceOptions, say: Say, ready: Callable[[Links], None]) -> None:
    """Start everything, report it, watch it, and end it when somebody asks to stop.

    Args:
        options: What to start.
        say: Told what happens.
        ready: Called once everything is healthy.

    Raises:
        ServiceError: Something cannot be started, or ended by itself.
    """
    home = options.place.home
    config = options.read_config()
    taken = f"spanloop up already runs for {home}; stop that one first, or set SPANLOOP_HOME to another folder"
    with file_lock(_lock(home), patience=0, taken=taken), Supervisor() as supervisor:
        ports.require_free(options.host, options.port, "--prefect-port")
        say("starting the Prefect server")
        server, api = prefect.start_server(
            supervisor, options.place, options.host, options.port, config.retention.run_days
        )
        with _argilla(options, config, supervisor, say):
            supervisor.wait(server, api.healthy)
            _serve(supervisor, options, api, say, ready)


def up_runs(home: Path) -> bool:
    """Whether `run_all` is at work for a home at this moment."""
    if not _lock(home).exists():
        return False
    try:
        with file_lock(_lock(home), patience=0, taken=""):
            return False
    except ServiceError:
        return True


def _lock(home: Path) -> Path:
    return home / "up.lock"


def run_worker(options: ServiceOptions, api_url: str, say: Say, ready: Callable[[Links], None]) -> None:
    """Serve the deployments on a Prefect server that runs elsewhere, until somebody asks to stop.

    Args:
        options: What to serve.
        api_url: Address of the server's API.
        say: Told what happens.
        ready: Called once everything is healthy.

    Raises:
        ServiceError: The server does not answer, or the worker cannot be started or ended by itself.
    """
    api = PrefectApi.at(api_url, options.place.environ)
    with writing(options.place.home):
        options.place.home.mkdir(parents=True, exist_ok=True)
    with Supervisor() as supervisor:
        late = f"no Prefect server answers at {api_url}; PREFECT_API_URL names another one, 'spanloop up' starts one"
        supervisor.until(api.healthy, 60, late)
        _serve(supervisor, options, api, say, ready)


def _serve(
    supervisor: Supervisor, options: ServiceOptions, api: PrefectApi, say: Say, ready: Callable[[Links], None]
) -> None:
    """Start a worker, deploy, and watch until somebody asks to stop.

    Raises:
        ServiceError: One of them failed.
    """
    config = options.read_config()
    with orphans.swept(supervisor, api, prefect.POOL, say):
        say("starting the Prefect worker")
        prefect.start_worker(supervisor, options.place, api)
        say("deploying")
        prefect.deploy(supervisor, options.place, api, config, options.definition)
        ready(_links(config, api))
        renew, sweep = _Renewal(supervisor, options, api, say), orphans.Sweeper(api, prefect.POOL, say)
        supervisor.watch(1.0, renew, sweep)
        say("stopping")


@contextlib.contextmanager
def _argilla(options: ServiceOptions, config: LoopConfig, supervisor: Supervisor, say: Say) -> Iterator[None]:
    """Argilla while the rest runs; one that ran before is used, and left running."""
    if _is_elsewhere(options, config.argilla.api_url.rstrip("/")):
        say(f"using Argilla at {config.argilla.api_url}")
        yield
        return
    home, address, said = options.place.home, urlsplit(config.argilla.api_url), set[str]()

    def progress(what: str, share: float) -> None:
        supervisor.check()  # Ctrl-C must not wait for pip
        if what not in said:
            said.add(what)
            say(what)

    running = process.start(
        home,
        address.hostname or "127.0.0.1",
        address.port or process.PORT,
        environ=options.place.environ,
        progress=progress,
        port_setting="argilla.api_url",
    )
    if running.url != config.argilla.api_url.rstrip("/"):
        say(f"Argilla runs at {running.url}, but the configuration says {config.argilla.api_url}")
    if not running.fresh:
        say(f"Argilla already runs at {running.url}; it is left running at the end")
        yield
        return
    supervisor.hold(running.pid, log_path(home))
    try:
        yield
    finally:
        process.stop(home)


def _is_elsewhere(options: ServiceOptions, url: str) -> bool:
    """Whether Argilla is not ours to start: not wanted, on another machine, or started here by somebody else."""
    if not options.with_argilla or not ports.is_loopback(url):
        return True
    return running_state(options.place.home) is None and is_argilla(url)


def _links(config: LoopConfig, api: PrefectApi) -> Links:
    base = api.url.removesuffix("/api")
    pages = {x.name: f"{base}/deployments/deployment/{x.id}" for x in api.deployments(prefect.POOL)}
    return Links(config.argilla.api_url, base, pages)


class _Renewal:
    """Deploys anew when the configuration file changes, so that the form and the schedule use what it says."""

    def __init__(self, supervisor: Supervisor, options: ServiceOptions, api: PrefectApi, say: Say) -> None:
        self._supervisor, self._options, self._api, self._say = supervisor, options, api, say
        self._seen = self._stamp()

    def __call__(self) -> None:
        if (stamp := self._stamp()) == self._seen:
            return
        self._seen = stamp
        try:
            config = self._options.read_config()
            prefect.deploy(self._supervisor, self._options.place, self._api, config, self._options.definition)
        except SpanloopError as error:
            self._say(f"the deployments stay as they were: {error}")
        else:
            self._say(f"{self._options.config_file.name} changed: the deployments have it now")

    def _stamp(self) -> tuple[int, int]:
        try:
            seen = self._options.config_file.stat()
        except OSError:
            return (0, 0)
        return (seen.st_mtime_ns, seen.st_size)
