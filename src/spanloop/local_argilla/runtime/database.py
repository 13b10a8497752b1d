"""The SQLite database: its schema and the settings of its connections."""

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from argilla_server import database as argilla_database
from engine.schema import ensure_schema
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError

ERRORS = (sqlite3.Error, SQLAlchemyError, CommandError, OSError)
"""What a database that is damaged, too new, or on a full disk makes `migrate` raise."""

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",  # readers and the writer do not wait for each other
    "PRAGMA cache_size = -65536",  # KiB
    "PRAGMA temp_store = MEMORY",
)


def install() -> None:
    """Set up every connection from now on."""
    event.listen(Engine, "connect", _set_up)


def _set_up(connection: Any, record: Any) -> None:
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def migrate(database: Path) -> None:
    """Bring the schema to the version of the installed server, and add what the search engine needs.

    SQLite commits each step of a migration, so a new database is made under another name: one that exists is whole.
    """
    if database.exists():
        _upgrade(database)
    else:
        beside = database.with_suffix(".new")
        for leftover in (beside, Path(f"{beside}-wal"), Path(f"{beside}-shm")):
            leftover.unlink(missing_ok=True)
        _upgrade(beside)
        beside.rename(database)


def _upgrade(database: Path) -> None:
    """Run alembic, without its logging settings, which would silence every logger that exists by now."""
    argilla_database.database_url_sync = lambda: f"sqlite:///{database}"  # alembic/env.py asks for it
    config = Config()
    folder = Config(argilla_database.ALEMBIC_CONFIG_FILE).get_main_option("script_location")
    config.set_main_option("script_location", folder or "")
    command.upgrade(config, "head")
    with contextlib.closing(sqlite3.connect(database, isolation_level=None, timeout=30)) as connection:
        ensure_schema(connection)
