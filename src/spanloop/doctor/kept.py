"""Checks of the store: its folder, what it publishes, and the files that say what is in service."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from spanloop.doctor.health_check import Finding, HealthCheck, note
from spanloop.doctor.set_up import SetUp
from spanloop.durable import replace_file, to_json
from spanloop.errors import ArtifactDamaged, StoreError
from spanloop.rounds.work import last_round, read_round, readable_rounds
from spanloop.store import KINDS, Kind, Store, verify_all
from spanloop.store.artifacts import MANIFEST
from spanloop.store.contents import MARKER, NAMES, refuse_foreign
from spanloop.store.locks import Locks
from spanloop.store.pruning import pins
from spanloop.store.setting_aside import set_file_aside

_NAME = re.compile("|".join(rf"\b{NAMES[kind].pattern}\b" for kind in KINDS))


def _folder(set_up: SetUp) -> Iterator[Finding]:
    root = set_up.store.root
    if not root.exists():
        yield note(f"{root} is not there yet; the first round makes it")
        return
    if not root.is_dir() or not os.access(root, os.R_OK | os.W_OK | os.X_OK):
        yield Finding(f"{root} cannot be written; check its permissions, or set store to another folder")
        return
    if not (root / MARKER).is_file():
        refuse_foreign(root)
        if any(root.iterdir()):
            yield Finding(f"{root / MARKER} is missing; the next round, or --repair, makes it anew")
    elif not _is_marker(root / MARKER):
        yield Finding(f"{root / MARKER} is damaged; --repair makes it anew")


def _is_marker(path: Path) -> bool:
    try:
        return bool(re.fullmatch("[0-9a-f]{32}", json.loads(path.read_text(encoding="utf-8"))["store"]))
    except (ValueError, KeyError, TypeError):
        return False


def _mark(set_up: SetUp) -> Iterator[str]:
    marker = set_up.store.root / MARKER
    if marker.is_file() and not _is_marker(marker):
        marker.unlink()
    with set_up.holding_store():  # which makes a folder with a store's things a store
        yield f"made {marker} anew"


def _locks(set_up: SetUp) -> Iterator[Finding]:
    locks = Locks(set_up.store.root / "locks")
    if holder := locks.holder():
        yield note(f"{holder} holds the store; what is being made just now may look damaged")
        if (gone := re.search(r"process (\d+) on (\S+),", holder)) and _is_gone(int(gone[1]), gone[2]):
            yield Finding(f"{holder} is no more, and yet its lock is held: end the process that has it open")
    locks.check_fence()


def _is_gone(pid: int, host: str) -> bool:
    from socket import gethostname

    from spanloop.processes.spawn import is_alive

    return host == gethostname() and not is_alive(pid)


def _mend_fence(set_up: SetUp) -> Iterator[str]:
    locks = Locks(set_up.store.root / "locks")
    locks.mend_fence()
    yield f"gave {locks.folder / 'fence'} a new number"


def _champion(set_up: SetUp) -> Iterator[Finding]:
    store = set_up.store
    if champion := store.champion():
        store.path("models", champion)
    elif (last := last_round(store)) and last.champion in store.names("models"):
        yield Finding(f"no model is in service, {last.champion} was after {last.round}; --repair puts it back")


def _restore_champion(set_up: SetUp) -> Iterator[str]:
    """Put back what served, as the records of rounds tell it."""
    store = set_up.store
    with set_up.holding_store():
        try:
            gone = store.pass_over_damaged()
        except StoreError:
            gone = [
                f"{store.root / 'champion.json'} was corrupt; it lies in {set_file_aside(store, 'champion.json')} now"
            ]
        yield from gone
        if store.champion() is None:
            for past in reversed(list(readable_rounds(store))):
                if past.champion in store.names("models"):
                    store.set_champion(str(past.champion))
            store.pass_over_damaged()
    if champion := store.champion():
        yield f"{champion} is in service, as after the last round; a rollback since then is not known"
    else:
        yield "no model is in service until a round trains one"


def _artifacts(set_up: SetUp) -> Iterator[Finding]:
    store = set_up.store
    for what, problem in verify_all(store).items():
        if problem and what != "champion":
            yield Finding(f"{what}: {problem}")
    for kind, name in _without_manifest(store):
        yield Finding(f"{kind}/{name} has no {MANIFEST}: it is not whole; move it away, or --repair does")


def _without_manifest(store: Store) -> list[tuple[Kind, str]]:
    """Folders that bear an artifact's name and are none, in whose place none can be published."""
    return [
        (kind, path.name)
        for kind in KINDS
        for path in sorted((store.root / kind).glob("*"))
        if NAMES[kind].fullmatch(path.name) and path.is_dir() and any(path.iterdir())
        if not (path / MANIFEST).is_file()
    ]


def _set_artifacts_aside(set_up: SetUp) -> Iterator[str]:
    store = set_up.store
    with set_up.holding_store():
        for problem in store.pass_over_damaged():
            yield f"{problem.partition(';')[0]}; {store.champion() or 'no model'} is in service now"
        for kind in KINDS:
            for name in store.names(kind):
                if _is_damaged(store, kind, name):
                    yield f"{kind}/{name} lies in {store.set_aside(kind, name)} now; a round makes it again"
        for kind, name in _without_manifest(store):
            yield f"{kind}/{name} lies in {store.set_aside(kind, name)} now"


def _is_damaged(store: Store, kind: Kind, name: str) -> bool:
    try:
        store.verify(kind, name)
    except ArtifactDamaged:
        return True
    return False


def _rounds(set_up: SetUp) -> Iterator[Finding]:
    yield from (Finding(problem) for _, problem in _unreadable_rounds(set_up.store))


def _unreadable_rounds(store: Store) -> Iterator[tuple[str, str]]:
    """Rounds that are whole, and whose record says nothing all the same."""
    for name in store.names("rounds"):
        if not _is_damaged(store, "rounds", name):
            try:
                read_round(store, name)
            except StoreError as error:
                yield name, str(error)


def _set_rounds_aside(set_up: SetUp) -> Iterator[str]:
    with set_up.holding_store():
        for name, _ in _unreadable_rounds(set_up.store):
            yield f"rounds/{name} lies in {set_up.store.set_aside('rounds', name)} now; nothing depends on it"


def _model(set_up: SetUp) -> Iterator[Finding]:
    store = set_up.store
    if not (champion := store.champion()) or _is_damaged(store, "models", champion):
        return
    from spanloop.model.folder import ModelFolder
    from spanloop.scoring.loading import load_for_scoring

    load_for_scoring(ModelFolder.read(store.path("models", champion)), set_up.config.scoring)
    yield note(f"{champion} is in service and can be loaded")


def _groups(set_up: SetUp) -> Iterator[Finding]:
    set_up.store.groups.read(set_up.config.splits)
    yield from ()


def _set_groups_aside(set_up: SetUp) -> Iterator[str]:
    with set_up.holding_store():
        there = set_file_aside(set_up.store, "groups.json")
    yield f"groups.json lies in {there} now; those of annotated records are those of the snapshots"


def _pins(set_up: SetUp) -> Iterator[Finding]:
    gone = sorted(name for name in pins(set_up.store) if not any(name in set_up.store.names(kind) for kind in KINDS))
    if gone:
        yield note(f"{', '.join(gone)} is pinned and not there; 'spanloop store unpin' forgets it")


def _read_pins_off(set_up: SetUp) -> Iterator[str]:
    """Keep what a corrupt file still names: too much that is pinned does no harm."""
    store, path = set_up.store, set_up.store.root / "pins.json"
    with set_up.holding_store():
        named = {found.group() for found in _NAME.finditer(path.read_text(encoding="utf-8", errors="replace"))}
        there = sorted(named & {name for kind in KINDS for name in store.names(kind)})
        aside = set_file_aside(store, path.name)
        replace_file(path, to_json(there))
    yield f"pins.json lies in {aside} now; pinned is what could be read off it: {', '.join(there) or 'nothing'}"


def _leftovers(set_up: SetUp) -> Iterator[Finding]:
    for path in set_up.store.leftovers():
        yield Finding(f"{path} was left by a crash, or is published by now; the next round, or --repair, removes it")


def _clean(set_up: SetUp) -> Iterator[str]:
    with set_up.holding_store():
        yield from (f"removed {path}" for path in set_up.store.clean())


_IN_STORE = ("configuration", "store")

CHECKS = (
    HealthCheck("store", _folder, _mark, needs=("configuration",)),
    HealthCheck("locks", _locks, _mend_fence, needs=_IN_STORE),
    HealthCheck("champion", _champion, _restore_champion, needs=_IN_STORE),
    HealthCheck("artifacts", _artifacts, _set_artifacts_aside, needs=_IN_STORE),
    HealthCheck("model", _model, needs=(*_IN_STORE, "champion")),
    HealthCheck("rounds", _rounds, _set_rounds_aside, needs=_IN_STORE),
    HealthCheck("groups", _groups, _set_groups_aside, needs=_IN_STORE),
    HealthCheck("pins", _pins, _read_pins_off, needs=_IN_STORE),
    HealthCheck("leftovers", _leftovers, _clean, needs=_IN_STORE),
)
