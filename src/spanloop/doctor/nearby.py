"""Checks of the local Argilla: its credentials, its process, its database. A user of another server has none."""

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from spanloop.argilla.credentials import credentials_path, read_credentials
from spanloop.doctor.health_check import Finding, HealthCheck, note
from spanloop.doctor.set_up import SetUp
from spanloop.local_argilla.environment import environment_path
from spanloop.local_argilla.process import status
from spanloop.local_argilla.state import argilla_folder, find_server, running_state, state_path, write_state

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def _credentials(set_up: SetUp) -> Iterator[Finding]:
    path = credentials_path(set_up.home)
    if read_credentials(path) and path.stat().st_mode & _OTHERS:
        yield Finding(f"{path} holds a password and can be read by others; 'chmod 600', or --repair, makes it yours")


def _close(set_up: SetUp) -> Iterator[str]:
    path = credentials_path(set_up.home)
    read_credentials(path)
    path.chmod(0o600)
    yield f"{path} can be read by its owner alone now"


def _process(set_up: SetUp) -> Iterator[Finding]:
    path = state_path(set_up.home)
    if running_state(set_up.home):
        if (health := status(set_up.home).health) != "ready":
            yield Finding(f"the local Argilla runs and does not answer ({health}); see 'spanloop argilla logs'")
    elif running := find_server(set_up.home):
        yield Finding(f"{path} does not name the local Argilla, which runs (process {running.pid}); --repair writes it")
    elif path.exists():
        yield Finding(f"{path} names a local Argilla that is gone; 'spanloop argilla start' starts it anew")


def _renew(set_up: SetUp) -> Iterator[str]:
    path = state_path(set_up.home)
    if running_state(set_up.home):
        return
    if running := find_server(set_up.home):
        write_state(set_up.home, running)
        yield f"{path} names process {running.pid} at {running.url} again"
    else:
        path.unlink(missing_ok=True)
        yield f"removed {path}; 'spanloop argilla start' starts Argilla"


def _database(set_up: SetUp) -> Iterator[Finding]:
    database = _database_path(set_up.home)
    if not database.is_file():
        return
    found: list[str] = []
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, timeout=30)) as connection:
            found = [str(row[0]) for row in connection.execute("PRAGMA quick_check(3)")]
    except sqlite3.DatabaseError as error:
        found = [str(error)]
    if found != ["ok"]:
        problem = "; ".join(" ".join(line.split()) for line in found)
        yield Finding(
            f"{database} is damaged ({problem}); 'spanloop argilla stop', move {database.parent} away, and "
            "'spanloop restore' a backup"
        )


def _database_path(home: Path) -> Path:
    return argilla_folder(home) / "data" / "argilla.db"


def _environment(set_up: SetUp) -> Iterator[Finding]:
    folder = environment_path(set_up.home, set_up.environ)
    if argilla_folder(set_up.home).exists() and not (folder / "bin" / "python").exists():
        yield note(f"{folder} has no Python; 'spanloop argilla start' makes Argilla's environment in a minute or two")


CHECKS = (
    HealthCheck("local Argilla's credentials", _credentials, _close),
    HealthCheck("local Argilla's process", _process, _renew),
    HealthCheck("local Argilla's database", _database),
    HealthCheck("local Argilla's environment", _environment),
)
