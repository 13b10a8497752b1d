"""How an artifact comes into a store: built in a temporary sibling, sealed by its manifest, renamed into place."""

import fcntl
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from spanloop.durable import files_below, hash_file, replace_file, sync_file, sync_folder, to_json
from spanloop.errors import ArtifactDamaged, StoreError

MANIFEST = "manifest.json"
TEMPORARY = ".tmp"


@contextmanager
def temporary_sibling(final: Path) -> Iterator[Path]:
    """Give an empty folder beside the final place, and remove it if it has not been moved by the end.

    The folder is locked while its builder lives, so that `leftovers` can tell it from what a crash left.
    """
    final.parent.mkdir(parents=True, exist_ok=True)
    while True:
        temporary = final.parent / f".{final.name}.{secrets.token_hex(4)}{TEMPORARY}"
        temporary.mkdir()
        descriptor = os.open(temporary, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if temporary.exists():
            break
        os.close(descriptor)  # a cleaner came between our creating and locking it
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        os.close(descriptor)


def leftovers(folder: Path, names: re.Pattern[str]) -> list[Path]:
    """Temporary siblings of artifacts of these names whose builder died: nobody holds their lock."""
    ours = re.compile(rf"\.({names.pattern})\.[0-9a-f]{{8}}{re.escape(TEMPORARY)}")
    found = folder.iterdir() if folder.is_dir() else ()
    return [path for path in found if ours.fullmatch(path.name) and path.is_dir() and not _is_held(path)]


def seal(folder: Path) -> None:
    """Bring every file to the disk and write their hashes into the manifest, last.

    Args:
        folder: A finished artifact; the entries of a `manifest.json` in it are kept.

    Raises:
        StoreError: A link is in it, or its `manifest.json` is no JSON object.
        OSError: The disk is full or refuses.
    """
    manifest: dict[str, Any] = {}
    if (folder / MANIFEST).exists():
        manifest = _read_object(folder / MANIFEST)
    files = {}
    for path in files_below(folder):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            raise StoreError(f"{name} is a link to {path.resolve()}; an artifact must hold its files itself")
        if name != MANIFEST:
            sync_file(path)
            files[name] = {"sha256": hash_file(path), "bytes": path.stat().st_size}
    for path in [*(path for path in folder.rglob("*") if path.is_dir()), folder]:
        sync_folder(path)
    replace_file(folder / MANIFEST, to_json(manifest | {"files": files}))


def move_into_place(temporary: Path, final: Path) -> None:
    """Make a sealed artifact visible where readers look for it; one that is there already stays.

    Raises:
        StoreError: Something else lies in its place.
        OSError: The disk refuses.
    """
    if (final / MANIFEST).is_file():
        return
    if final.exists() and any(final.iterdir()):
        raise StoreError(f"{final} is there without its {MANIFEST}; move it away and run again")
    temporary.rename(final)
    sync_folder(final.parent)


def take_away(final: Path) -> Path:
    """Make an artifact a leftover, in one step: no reader finds it any more.

    Returns:
        What is left to be removed.
    """
    half = final.parent / f".{final.name}.{secrets.token_hex(4)}{TEMPORARY}"
    final.rename(half)
    sync_folder(final.parent)
    return half


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read what an artifact's builder wrote, and `files`: the sha256 and size of each file by its relative path.

    Raises:
        StoreError: The manifest is missing or corrupt.
    """
    manifest = _read_object(folder / MANIFEST)
    files = manifest.get("files")
    if not isinstance(files, dict) or not all(isinstance(x, dict) and "sha256" in x for x in files.values()):
        raise ArtifactDamaged(f"{folder / MANIFEST} is corrupt: it lists no files; {_way_out(folder)}")
    return manifest


def verify_file(folder: Path, name: str) -> None:
    """Compare a file with its hash in the manifest.

    Raises:
        StoreError: The file is missing, unknown to the manifest, or was changed.
    """
    entry = read_manifest(folder)["files"].get(name)
    _verify(folder, name, entry["sha256"] if entry else "")


def verify_artifact(folder: Path) -> None:
    """Compare every file with its hash in the manifest.

    Raises:
        StoreError: A file is missing or was changed; the message names it.
    """
    for name, entry in read_manifest(folder)["files"].items():
        _verify(folder, name, entry["sha256"])


def _verify(folder: Path, name: str, sha256: str) -> None:
    try:
        actual = hash_file(folder / name)
    except FileNotFoundError:
        raise ArtifactDamaged(f"{folder / name} is missing; {_way_out(folder)}") from None
    except OSError as error:
        raise StoreError(f"{folder / name} cannot be read: {error.strerror}; {_way_out(folder)}") from error
    if actual != sha256:
        raise ArtifactDamaged(f"{folder / name} is corrupt: its content does not fit the manifest; {_way_out(folder)}")


def _read_object(path: Path) -> dict[str, Any]:
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ArtifactDamaged(f"{path} is missing; {_way_out(path.parent)}") from None
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}; {_way_out(path.parent)}") from error
    except ValueError as error:
        raise ArtifactDamaged(f"{path} is corrupt: {error}; {_way_out(path.parent)}") from None
    if not isinstance(tree, dict):
        raise ArtifactDamaged(f"{path} is corrupt: it holds no JSON object; {_way_out(path.parent)}")
    return tree


def _way_out(folder: Path) -> str:
    return f"restore it from a backup, or remove {folder}: the next round makes a new one"


def _is_held(folder: Path) -> bool:
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return True  # moved into place by now
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
