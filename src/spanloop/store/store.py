"""The store: one folder with everything that rounds publish, in which nobody ever sees half of anything.

    store/snapshots/v0007-3fa9c1d2/   an artifact is a folder whose `manifest.json` holds the sha256 of its files
    store/models/…  store/rounds/…
    store/work/NAME/                  scratch, kept over a crash so that training resumes
    store/champion.json               which model is in service, which were before, and which somebody took back
    store/groups.json                 the group of each record and the split of each group, for good
    store/binding.json                the dataset that the store belongs to
    store/pins.json                   what is kept for good
    store/locks/                      one round at a time
    store/spanloop-store.json         the marker, with an id of the store

An artifact is built in a temporary sibling, synced, given its manifest last, and renamed into place. The folder carries
a marker: one with anything else in it is never made a store, and only what a store names is ever removed from one.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from spanloop.durable import told_as_store_errors
from spanloop.errors import ArtifactDamaged, StoreError
from spanloop.settings import whole_path
from spanloop.store import artifacts
from spanloop.store.artifacts import MANIFEST
from spanloop.store.binding import Binding
from spanloop.store.champion import Champion
from spanloop.store.contents import (
    HALF_POINTER,
    KINDS,
    MARKER,
    NAMES,
    PREFIXES,
    Kind,
    claim,
    identity,
    number_of,
    place_aside,
)
from spanloop.store.groups import Groups
from spanloop.store.locks import Locks


class Store:
    """A store on a local or shared file system.

    Args:
        root: Its folder; created when first written to.

    Attributes:
        root: The folder, absolute; `snapshots`, `models` and `rounds` are the folders of the kinds in it.
        groups: The groups and splits of records, kept for good.
        binding: The dataset that the store belongs to.
    """

    def __init__(self, root: Path | str) -> None:
        self.root = whole_path(root)
        self.snapshots, self.models, self.rounds = (self.root / kind for kind in KINDS)
        self._locks = Locks(self.root / "locks")
        self._champion = Champion(self.root / "champion.json")
        self.groups = Groups(self.root / "groups.json", self._changing)
        self.binding = Binding(self.root / "binding.json", self._changing)

    @property
    def id(self) -> str:
        """What tells this store from others: 32 hex digits, made with its marker."""
        return identity(self.root)

    def publish(self, kind: Kind, name: str, build: Callable[[Path], None]) -> Path:
        """Publish an artifact, at once or not at all.

        Args:
            kind: What it is.
            name: One that is there already is returned as it is, without building.
            build: Fills the empty folder it is given. A `manifest.json` (an object) that it writes is kept and
                extended by the files' hashes.

        Returns:
            The artifact's folder.

        Raises:
            StoreError: The disk is full or refuses, the name is no name, or a newer round holds the store;
                nothing is left behind.
        """
        final = self._folder(kind, name)
        if (final / MANIFEST).is_file():
            return final
        claim(self.root)
        with told_as_store_errors(f"publish {kind}/{name}", final), artifacts.temporary_sibling(final) as temporary:
            build(temporary)
            artifacts.seal(temporary)
            with self._locks.publishing():
                artifacts.move_into_place(temporary, final)
        return final

    def path(self, kind: Kind, name: str) -> Path:
        """The folder of a published artifact.

        Raises:
            StoreError: There is none of this name.
        """
        folder = self._folder(kind, name)
        if not (folder / MANIFEST).is_file():
            there = ", ".join(self.names(kind)[-5:]) or "none yet"
            raise StoreError(f"{self.root} has no {kind[:-1]} {name!r}; there are: {there}")
        return folder

    def names(self, kind: Kind) -> list[str]:
        """The complete artifacts of a kind, in order of the number in their names (`v0002-…` before `v0010-…`)."""
        folder = self.root / kind
        if not folder.is_dir():
            return []
        found = [x.name for x in folder.iterdir() if NAMES[kind].fullmatch(x.name) and (x / MANIFEST).is_file()]
        return sorted(found, key=lambda name: (number_of(name), name))

    def next_name(self, kind: Kind, key: str = "", above: int = 0) -> str:
        """The name of the artifact after the last one, e.g. `r0004` after `r0003`.

        `key`, a hash of what it is made of, becomes part: `m0012-77aa0f31`. Numbers up to `above` are other stores'.
        """
        number = max([above, *map(number_of, self.names(kind)[-1:])]) + 1
        return f"{PREFIXES[kind]}{number:04d}" + (f"-{key}" if key else "")

    def manifest(self, kind: Kind, name: str) -> dict[str, Any]:
        """Read what an artifact's builder wrote, and `files`: the sha256 and size of each file by its relative path.

        Raises:
            StoreError: The artifact is missing or its manifest is corrupt.
        """
        return artifacts.read_manifest(self.path(kind, name))

    def verify(self, kind: Kind, name: str) -> None:
        """Compare an artifact's files with the hashes in its manifest.

        Raises:
            StoreError: A file is missing or was changed; the message names it.
        """
        artifacts.verify_artifact(self.path(kind, name))

    def work(self, name: str) -> Path:
        """A scratch folder, created if need be, with what an interrupted run left in it.

        Named as the artifact that will come of it, it goes once that is published.
        """
        folder = self._folder("work", name)
        claim(self.root)
        with told_as_store_errors(f"create {folder}", folder):
            folder.mkdir(parents=True, exist_ok=True)
        return folder

    def lock(self, owner: str) -> AbstractContextManager[int]:
        """Hold the store for one round; `kill -9` lets go of it too.

        Args:
            owner: Who takes it, shown to those who find it held.

        Returns:
            A context manager that yields the holder's number. While it is open, whatever this process publishes is
            refused once another holder came after it.

        Raises:
            RoundInProgress: On entering, when another holds it; names its owner, process and since when.
        """
        claim(self.root)
        return self._locks.round(owner)

    def unchanging(self) -> AbstractContextManager[None]:
        """Keep what is published as it is for a moment: nobody publishes or removes anything meanwhile."""
        return self._locks.unchanging()

    def refuse_if_superseded(self) -> None:
        """Stop a round that has lost the store, before it changes something outside of the store.

        Raises:
            StoreError: This process held the store for a round, and another holder came after it.
        """
        with self._locks.publishing():
            pass

    def champion(self) -> str | None:
        """The model version in service; None before the first."""
        return self._champion.current()

    def previous_champion(self) -> str | None:
        """The model version that was in service before the champion, and to which a rollback goes; None without one."""
        return self._champion.previous()

    def set_champion(self, version: str) -> None:
        """Put a published model into service, atomically.

        Raises:
            StoreError: There is no such model, a newer round holds the store, or the disk refuses.
        """
        self.path("models", version)
        with self._changing(f"put {version} into service"):
            self._champion.promote(version, self.names("models"))

    def vetoed(self) -> list[str]:
        """Models that `roll_back` took out of service; `set_champion` lifts the veto."""
        return self._champion.vetoed()

    def pass_over_damaged(self) -> list[str]:
        """Verify the champion; while it is damaged or gone, the model before it serves.

        Returns:
            What is wrong with each model that was passed over.

        Raises:
            StoreError: A file cannot be read, which may be of the disk and pass.
        """
        problems = []
        while champion := self.champion():
            try:
                if champion in self.names("models"):
                    self.verify("models", champion)
                    break
                problems.append(f"{self.root} has no model {champion!r}")
            except ArtifactDamaged as error:
                problems.append(str(error))
            with self._changing(f"take {champion} out of service"):
                self._champion.roll_back(veto=False)
        return problems

    def remove(self, kind: Kind, name: str) -> None:
        """Remove an artifact, at once or not at all: what a crash leaves of it, `clean` removes."""
        with self._changing(f"remove {kind}/{name}"):
            half = artifacts.take_away(self.path(kind, name))
        shutil.rmtree(half, ignore_errors=True)

    def set_aside(self, kind: Kind, name: str) -> Path:
        """Move a damaged artifact out of the way, to `damaged/`, so that it can be made again.

        Returns:
            Where it is.
        """
        with self._changing(f"set {kind}/{name} aside"):
            there = place_aside(self.root, name)
            self._folder(kind, name).rename(there)
        return there

    def roll_back(self) -> str:
        """Put the previous champion back into service; no round puts back the one that was.

        Returns:
            The model version now in service.

        Raises:
            StoreError: There is no previous champion, its model is missing, or the disk refuses.
        """
        with self._changing("roll the champion back"):
            previous = self._champion.previous()
            if previous is None:
                raise StoreError(
                    f"{self.root} has no champion before {self.champion() or 'the first'}; nothing to go back to"
                )
            self.path("models", previous)
            self._champion.roll_back(veto=True)
        return previous

    def clean(self) -> list[Path]:
        """Remove what crashes left: half-built artifacts, and scratch that is published already.

        What another process is building right now stays.

        Returns:
            What was removed.
        """
        if not (self.root / MARKER).is_file():
            return []
        removed = self.leftovers()
        for folder in removed:
            shutil.rmtree(folder, ignore_errors=True)
        with self._changing("clean the store"):
            if (half := self.root / HALF_POINTER).exists():
                half.unlink()
                removed.append(half)
        return removed

    def leftovers(self) -> list[Path]:
        """The folders that `clean` would remove."""
        half = [leftover for kind in KINDS for leftover in artifacts.leftovers(self.root / kind, NAMES[kind])]
        published = {name for kind in KINDS for name in self.names(kind)}
        return half + [x for x in (self.root / "work").glob("*") if x.is_dir() and x.name in published]

    @contextmanager
    def _changing(self, what: str) -> Iterator[None]:
        """Change something that readers see; refused to a round that lost the store."""
        with told_as_store_errors(what, self.root), self._locks.publishing():
            yield

    def _folder(self, kind: str, name: str) -> Path:
        if not NAMES[kind].fullmatch(name):
            raise StoreError(f"{name!r} is no name for the store; there are names like m0002-77aa0f31 in {kind}")
        return self.root / kind / name
