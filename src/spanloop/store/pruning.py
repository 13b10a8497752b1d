"""What a store no longer needs, and what is kept whatever its age.

Kept are the newest of each kind, the model in service and the one before it, what somebody pinned or published, and the
snapshots of kept models. The rest goes, with what was read off models that are gone, and with what a round saw of each
record once there is a later round.
"""

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from spanloop.config import RetentionConfig
from spanloop.durable import replace_file, to_json, told_as_store_errors
from spanloop.errors import ArtifactDamaged, StoreError
from spanloop.store.artifacts import MANIFEST, read_manifest
from spanloop.store.contents import FINGERPRINTS, KINDS, NAMES, PREFIXES, WAITING, Kind, aside_number
from spanloop.store.store import Store

_PINS = "pins.json"
_SCORED = re.compile(rf"({NAMES['models'].pattern})-[\w-]+\.jsonl?")
_DAMAGED = re.compile(rf"({'|'.join(NAMES[kind].pattern for kind in KINDS)})\.[0-9a-f]{{8}}")
_SET_ASIDE = 2  # damaged artifacts that are kept for somebody to look at


@dataclass(frozen=True, slots=True)
class Unneeded:
    """Something that may go.

    Attributes:
        path: Where it is.
        kind: Its kind, where it is an artifact.
        part: Whether it is a file of an artifact that stays.
    """

    path: Path
    kind: Kind | None = None
    part: bool = False

    @property
    def bytes(self) -> int:
        """How much room it takes."""
        files = [self.path, *self.path.rglob("*")]
        return sum(path.stat().st_size for path in files if path.is_file())


def kind_of(name: str) -> Kind:
    """The kind of an artifact by its name.

    Raises:
        StoreError: It is no name.
    """
    for kind, prefix in PREFIXES.items():
        if name.startswith(prefix):
            return kind
    raise StoreError(f"{name!r} is no name for the store; 'spanloop store list' shows those that are there")


def pins(store: Store) -> set[str]:
    """The names of the artifacts that are kept for good.

    Raises:
        StoreError: Their file is corrupt.
    """
    path = store.root / _PINS
    try:
        return set(map(str, json.loads(path.read_text(encoding="utf-8"))))
    except FileNotFoundError:
        return set()
    except (ValueError, TypeError):
        raise StoreError(f"{path} is corrupt; restore it, or delete it and pin again what is to be kept") from None


def pin(store: Store, name: str, *, keep: bool = True) -> None:
    """Keep an artifact for good, or no longer.

    Raises:
        StoreError: There is none of this name, or the disk refuses.
    """
    known = pins(store)
    if keep:
        store.path(kind_of(name), name)
    changed = known | {name} if keep else known - {name}
    if changed != known:
        with told_as_store_errors(f"pin {name}", store.root):
            replace_file(store.root / _PINS, to_json(sorted(changed)))


def unneeded(store: Store, retention: RetentionConfig) -> list[Unneeded]:
    """What goes at the next `prune`.

    Args:
        store: The store.
        retention: How much is kept.

    Returns:
        Artifacts that are older than what is kept, what was read off models that are not kept, and what rounds before
        the last saw.
    """
    pinned = pins(store)
    kept: dict[Kind, set[str]] = {kind: pinned | _newest(store, kind, getattr(retention, kind)) for kind in KINDS}
    kept["models"] |= {name for name in (store.champion(), store.previous_champion()) if name}
    kept["snapshots"] |= set(_trained_on(store, kept["models"]))
    found = [Unneeded(store.root / kind / x, kind) for kind in KINDS for x in store.names(kind) if x not in kept[kind]]
    gone = {x.path.name for x in found if x.kind == "models"}
    there = set(store.names("models")) - gone
    scores = [x for x in _named(store.root / "work" / "scores", _SCORED) if _model_of(x) not in there]
    aside = sorted(_named(store.root / "damaged", _DAMAGED), key=aside_number)[:-_SET_ASIDE]
    seen = [Unneeded(path, part=True) for path in _seen_before(store, kept["rounds"] - pinned)]
    return [*found, *map(Unneeded, (*scores, *aside)), *seen]


def prune(store: Store, retention: RetentionConfig) -> list[Unneeded]:
    """Remove what is not needed, each thing at once or not at all.

    Returns:
        What was removed.

    Raises:
        StoreError: The disk refuses, or another round holds the store.
    """
    going = unneeded(store, retention)
    with told_as_store_errors("prune", store.root):
        for each in going:
            if each.kind:
                store.remove(each.kind, each.path.name)
            elif each.part:
                _leave_out(store, each.path)
            elif each.path.is_dir():
                shutil.rmtree(each.path, ignore_errors=True)
            else:
                each.path.unlink(missing_ok=True)
    return going


def _newest(store: Store, kind: Kind, count: int) -> set[str]:
    return set(store.names(kind)[-count:])


def _seen_before(store: Store, rounds: set[str]) -> Iterator[Path]:
    """The files of these rounds' records, but for the last round's, that nobody looks at any more."""
    for name in store.names("rounds")[:-1]:
        there = [path for file in (FINGERPRINTS, WAITING) if (path := store.rounds / name / file).is_file()]
        if name in rounds and there:
            with suppress(ArtifactDamaged):  # `verify` tells of it
                read_manifest(store.rounds / name)
                yield from there


def _leave_out(store: Store, path: Path) -> None:
    """Remove a file of an artifact, whose manifest forgets it first."""
    store.refuse_if_superseded()
    with told_as_store_errors(f"remove {path}", store.root), store.unchanging():
        manifest = read_manifest(path.parent)
        if manifest["files"].pop(path.name, None):
            replace_file(path.parent / MANIFEST, to_json(manifest))
        path.unlink()


def _trained_on(store: Store, models: set[str]) -> Iterator[str]:
    """The snapshots of models; a model that says nothing of its own keeps none."""
    for name in models & set(store.names("models")):
        try:
            yield str(json.loads((store.models / name / "spanloop.json").read_text(encoding="utf-8"))["snapshot"])
        except (OSError, ValueError, KeyError, TypeError):
            continue


def _named(folder: Path, names: re.Pattern[str]) -> list[Path]:
    """What lies in a folder under names that we give; anything else is not ours."""
    return [path for path in folder.iterdir() if names.fullmatch(path.name)] if folder.is_dir() else []


def _model_of(path: Path) -> str:
    """The model that scores were made by, e.g. `m0002-77aa0f31` of `m0002-77aa0f31-0a1b2c3d.jsonl`."""
    found = _SCORED.fullmatch(path.name)
    return found[1] if found else ""
