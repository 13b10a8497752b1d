"""Start the server, run it until it is told to stop, and leave nothing behind."""

import contextlib
import fcntl
import gc
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from typing import Any, TextIO

from .options import LaunchError, Options, apply_options, read_options


def main() -> int:
    """Run the program.

    Returns:
        The exit code: 0 after SIGTERM or SIGINT, 2 if the server could not be started.
    """
    os.umask(0o077)
    try:
        options = read_options(os.environ)
        with _data_folder(options), _bound(options) as bound:
            _serve(options, bound)
    except LaunchError as error:
        print(f"argilla: {error}", file=sys.stderr)
        return 2
    return 0


@contextlib.contextmanager
def _data_folder(options: Options) -> Iterator[None]:
    """Hold the data folder, with an empty scratch folder in it: one server at a time uses them.

    argilla_server copies its web UI (14 MB) into a new temporary folder each time it is imported and never removes it.
    """
    try:
        options.home.mkdir(parents=True, exist_ok=True)
        lock: TextIO = (options.home / "server.lock").open("w")
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(options.scratch, ignore_errors=True)
        options.scratch.mkdir()
    except BlockingIOError:
        raise LaunchError(f"another server uses {options.home}; stop that one first") from None
    except OSError as error:
        raise LaunchError(f"the data folder {options.home} cannot be used: {error}") from None
    with lock:
        try:
            yield
        finally:
            shutil.rmtree(options.scratch, ignore_errors=True)


@contextlib.contextmanager
def _bound(options: Options) -> Iterator[socket.socket]:
    """Take the port before the slow part of the start; nobody can connect until the server listens."""
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((options.host, options.port))
        except OSError as error:
            where = f"{options.host}:{options.port}"
            raise LaunchError(f"{where} cannot be bound: {error.strerror}; choose another port") from None
        yield bound


def _serve(options: Options, bound: socket.socket) -> None:
    app = _build(options)
    import uvicorn

    # uvicorn raises the signal again once it has stopped: by then there is nothing left to do but to end well.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    gc.collect()
    gc.freeze()  # what the imports have made stays for good: looking through it again and again doubles a bulk's time
    server = uvicorn.Server(uvicorn.Config(app, access_log=False, log_level="info", timeout_graceful_shutdown=5))
    server.run(sockets=[bound])
    if not server.started:
        raise LaunchError("the server did not start; the lines above say why")


def _build(options: Options) -> Any:
    """Import argilla_server with everything replaced that must be replaced before or right after."""
    from . import queues

    apply_options(options)
    queues.install()
    tempfile.tempdir = str(options.scratch)
    from argilla_server import app

    tempfile.tempdir = None
    from engine import install_engine

    from . import database, jobs, writes

    for part in (database, jobs, writes):
        part.install()
    install_engine()
    try:
        database.migrate(options.database)
    except database.ERRORS as error:
        reason = " ".join(str(getattr(error, "orig", error)).split())
        raise LaunchError(f"the database {options.database} cannot be used: {reason}") from None
    app.router.lifespan_context = _lifespan(options, app.router.lifespan_context)
    return app


def _lifespan(options: Options, inner: Any) -> Any:
    """Wrap what argilla_server does at its start and its end."""
    from argilla_server.database import async_engine

    from . import accounts, queues

    @contextlib.asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[None]:
        await accounts.ensure_owner(options)
        async with inner(app):
            yield
        await queues.finish()
        await async_engine.dispose()

    return lifespan
