"""A copy of a store and of the local Argilla, made while both are in use, and the way back.

A backup is a folder, sealed as an artifact is: `store/` with everything that is published, `argilla/` with the database
and the credentials. Scratch is left out: it is made again.
"""

import shutil
import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path

from spanloop.durable import copy_files, replacing, told_as_store_errors
from spanloop.errors import StoreError
from spanloop.local_argilla.state import argilla_folder, running_state
from spanloop.store import KINDS, Store
from spanloop.store.artifacts import MANIFEST, move_into_place, seal, temporary_sibling, verify_artifact
from spanloop.store.contents import FILES, MARKER

_DATABASE = Path("data") / "argilla.db"
_CREDENTIALS = "credentials.json"


def back_up(store: Store, home: Path, target: Path) -> list[str]:
    """Copy a store, and the local Argilla where there is one.

    Args:
        store: The store; rounds go on, and publish again once it is copied.
        home: spanloop's home, with the local Argilla.
        target: A folder that is not there yet.

    Returns:
        What is in the backup, in words.

    Raises:
        StoreError: There is nothing to copy, the folder is there, or the disk refuses.
    """
    database = argilla_folder(home) / _DATABASE
    if target.exists():
        raise StoreError(f"{target} is there already; give a folder that is not, or remove it")
    if not (store.root / MARKER).is_file() and not database.is_file():
        raise StoreError(f"neither the store {store.root} nor a local Argilla in {home} is there yet")
    with told_as_store_errors(f"back up to {target}", target), temporary_sibling(target) as folder:
        argilla = _copy_argilla(argilla_folder(home), folder / "argilla")  # first: the store knows every lease in it
        found = [*_copy_store(store, folder / "store"), *argilla]
        seal(folder)
        move_into_place(folder, target)
    return found


def restore(backup: Path, store: Store, home: Path) -> list[str]:
    """Put a backup's store and local Argilla where there are none.

    Args:
        backup: The folder that `back_up` wrote.
        store: Where the store comes; its folder is empty or not there.
        home: spanloop's home, without data of a local Argilla.

    Returns:
        What was put back, in words.

    Raises:
        StoreError: The backup is damaged, or something is in the way; nothing is changed then.
    """
    if not (backup / MANIFEST).is_file():
        raise StoreError(f"{backup} is no backup; 'spanloop backup FOLDER' makes one")
    verify_artifact(backup)
    argilla, parts = argilla_folder(home), list[str]()
    if (backup / "argilla").is_dir() and ((argilla / _DATABASE).exists() or running_state(home)):
        raise StoreError(f"{argilla} holds a local Argilla; stop it and move the folder away, then restore again")
    if (backup / "store").is_dir() and store.root.exists() and any(store.root.iterdir()):
        raise StoreError(f"{store.root} is not empty; move it away, then restore again")
    with told_as_store_errors(f"restore {backup}", store.root), ExitStack() as half:
        if (backup / "argilla").is_dir():
            half.callback((argilla / _DATABASE).unlink, missing_ok=True)
            for name in (Path(_CREDENTIALS), _DATABASE):  # the database last: with it there is an Argilla again
                _put(backup / "argilla" / name, argilla / name)
            parts.append(f"the local Argilla in {argilla}")
        if (backup / "store").is_dir():
            with temporary_sibling(store.root) as folder:
                copy_files(backup / "store", folder)
                folder.rename(store.root)
            parts.append(f"the store in {store.root}")
        half.pop_all()
    return parts


def _put(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with replacing(target, mode=0o600) as file, source.open("rb") as content:
        shutil.copyfileobj(content, file)


def _copy_store(store: Store, folder: Path) -> list[str]:
    if not (store.root / MARKER).is_file():
        return []
    folder.mkdir()
    with store.unchanging():
        for name in (MARKER, *FILES):
            if (store.root / name).is_file():
                shutil.copy2(store.root / name, folder / name)
        for kind in KINDS:
            for name in store.names(kind):
                copy_files(store.path(kind, name), folder / kind / name)
    counts = (f"{len(names)} {kind}" for kind in KINDS if (names := store.names(kind)))
    return [f"the store ({', '.join(counts)})"]


def _copy_argilla(argilla: Path, folder: Path) -> list[str]:
    """The database as SQLite copies it while others write (https://www.sqlite.org/backup.html)."""
    database = argilla / _DATABASE
    if not database.is_file():
        return []
    (folder / _DATABASE).parent.mkdir(parents=True, mode=0o700)
    folder.chmod(0o700)
    (folder / _DATABASE).touch(0o600)  # SQLite does not say why it cannot
    with (
        closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(folder / _DATABASE)) as copy,
    ):
        copy.execute("PRAGMA journal_mode = OFF")  # a copy that fails is removed, one that does not is synced after
        copy.execute("PRAGMA synchronous = OFF")
        source.backup(copy)
        (records,) = copy.execute("SELECT count(*) FROM records").fetchone()
    for path in (folder / _DATABASE, Path(shutil.copy2(argilla / _CREDENTIALS, folder / _CREDENTIALS))):
        path.chmod(0o600)
    return [f"the local Argilla ({records} records)"]
