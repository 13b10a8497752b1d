"""What a store holds, by name: the kinds of artifacts, scratch, the marker. Anything else is not ours."""

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Literal, get_args
from uuid import uuid4

from spanloop.durable import replace_file, to_json, told_as_store_errors
from spanloop.errors import StoreError
from spanloop.store.locks import Locks

Kind = Literal["snapshots", "models", "rounds"]
KINDS: tuple[Kind, ...] = get_args(Kind)
PREFIXES: dict[Kind, str] = {"snapshots": "v", "models": "m", "rounds": "r"}
MARKER = "spanloop-store.json"
HALF_POINTER = ".champion.json.tmp"  # what a crash leaves of the champion's pointer

_NUMBERED = r"\d+(-[0-9a-f]+)?"
NAMES: dict[str, re.Pattern[str]] = {kind: re.compile(prefix + _NUMBERED) for kind, prefix in PREFIXES.items()}
"""What names of each kind look like, and those of scratch folders under `work`."""
NAMES["work"] = re.compile(f"[vmr]{_NUMBERED}|train-[0-9a-f]+|scores|looks")

FINGERPRINTS, WAITING = "annotations.json", "waiting.json"
"""The files of a round's record that are as long as the dataset, and that only the round after it looks at."""

FILES = ("champion.json", "groups.json", "binding.json", "pins.json")
_FILES = (MARKER, *FILES)
_OURS = {*KINDS, "work", "damaged", "locks", *_FILES, *(f".{name}.tmp" for name in _FILES)}
_OF_THE_DISK = {"lost+found", ".DS_Store"}


def number_of(name: str) -> int:
    """The number in an artifact's name, e.g. 7 of `v0007-3fa9c1d2`."""
    found = re.search(r"\d+", name)
    return int(found.group()) if found else 0


def place_aside(root: Path, name: str) -> Path:
    """Where something damaged comes to lie, in `damaged/`: under a number above all there, whatever the clock says."""
    there = root / "damaged"
    there.mkdir(exist_ok=True)
    return there / f"{name}.{max((aside_number(x) for x in there.iterdir()), default=0) + 1:08x}"


def aside_number(path: Path) -> int:
    """The number of something set aside; 0 of anything else."""
    found = re.fullmatch(r".+\.([0-9a-f]{8})", path.name)
    return int(found[1], 16) if found else 0


def refuse_foreign(root: Path) -> None:
    """Refuse a folder with anything in it that no store holds.

    Raises:
        StoreError: There is something else, or it cannot be read.
    """
    with told_as_store_errors(f"make {root} a store", root):
        there = {x.name for x in root.iterdir()} if root.exists() else set()
    if foreign := sorted(there - _OURS - _OF_THE_DISK):
        shown = ", ".join(foreign[:3]) + (", …" if len(foreign) > 3 else "")
        raise StoreError(
            f"{root} is no store and holds other things ({shown}); give the store a folder of its own, "
            f"e.g. store: {root / 'store'}"
        )


def claim(root: Path) -> None:
    """Make a folder a store, unless it is one.

    Raises:
        StoreError: Something else lies in it, or it cannot be written.
    """
    if (root / MARKER).is_file():
        return
    refuse_foreign(root)
    with told_as_store_errors(f"make {root} a store", root):
        root.mkdir(parents=True, exist_ok=True)
        with Locks(root / "locks").unchanging():
            if not (root / MARKER).is_file():
                replace_file(root / MARKER, to_json({"store": uuid4().hex}))


def identity(root: Path) -> str:
    """The id in the marker of a folder, which is made a store unless it is one.

    Raises:
        StoreError: The marker is damaged.
    """
    claim(root)
    with suppress(OSError, ValueError, KeyError, TypeError):
        if re.fullmatch("[0-9a-f]{32}", found := json.loads((root / MARKER).read_text(encoding="utf-8"))["store"]):
            return str(found)
    raise StoreError(f"{root / MARKER} is damaged; delete it, and the next round makes it anew")
