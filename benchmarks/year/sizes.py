"""What lies where: bytes and files by part, rows by table."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from spanloop.local_argilla.log import log_path
from spanloop.local_argilla.state import argilla_folder
from spanloop.store import KINDS


@dataclass(frozen=True, slots=True)
class Places:
    """Where a loop and its services keep what they write.

    Attributes:
        store: The store.
        home: spanloop's home.
        argilla: The home of the local Argilla, mostly the same.
        prefect: Prefect's database.
        scratch: The folder for temporary files of all processes.
        caches: The folder that Hugging Face's libraries cache in.
    """

    store: Path
    home: Path
    argilla: Path
    prefect: Path
    scratch: Path
    caches: Path

    @property
    def argilla_database(self) -> Path:
        """Argilla's database."""
        return argilla_folder(self.argilla) / "data" / "argilla.db"


def sizes(places: Places) -> dict[str, tuple[int, int]]:
    """Bytes and files of each part."""
    store, work = places.store, places.store / "work"
    parts: dict[str, Iterable[Path]] = {f"store: {kind}": (store / kind).rglob("*") for kind in KINDS}
    parts |= {
        "store: scores": (work / "scores").rglob("*"),
        "store: other work": (path for path in work.rglob("*") if "scores" not in path.relative_to(work).parts),
        "store: lists": store.glob("*"),
        "store: damaged": (store / "damaged").rglob("*"),
        "prefect: database": places.prefect.parent.glob(f"{places.prefect.name}*"),
        "prefect: other files": _others(places.prefect.parent, places.prefect.name),
        "argilla: database": places.argilla_database.parent.glob(f"{places.argilla_database.name}*"),
        "argilla: scratch": (places.argilla_database.parent / "scratch").rglob("*"),
        "logs": [*(places.home / "logs").rglob("*"), log_path(places.argilla)],
        "runs": (places.home / "runs").rglob("*"),
        "temporary files": places.scratch.rglob("*"),
        "caches": places.caches.rglob("*"),
    }
    return {name: _sum(paths) for name, paths in parts.items()}


def rows(database: Path) -> dict[str, int]:
    """How many rows each table of a database has; those that are empty are left out."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=60)) as connection:
        named = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        counts = {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in named}
    return {name: count for name, count in counts.items() if count}


def _others(folder: Path, name: str) -> Iterable[Path]:
    return (path for path in folder.rglob("*") if not path.name.startswith(name))


def _sum(paths: Iterable[Path]) -> tuple[int, int]:
    size, files = 0, 0
    for path in paths:
        with suppress(FileNotFoundError):
            if path.is_file():
                size, files = size + path.stat().st_size, files + 1
    return size, files
