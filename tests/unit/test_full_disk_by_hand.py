"""A disk that is full at any write of what people do with a store by hand: one line, and nothing is damaged."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import full_disk
import pytest
from full_disk import FullDisk

from spanloop.errors import StoreError
from spanloop.local_argilla.state import argilla_folder
from spanloop.services.backup import back_up, restore
from spanloop.store import Store, verify_all
from spanloop.store.pruning import pin
from spanloop.store.setting_aside import set_file_aside

pytestmark = pytest.mark.skipif(bool(full_disk.why_not()), reason=full_disk.why_not())
REFUSED = 3


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    for name in ("m0001-aaaaaaaa", "m0002-bbbbbbbb"):
        store.publish("models", name, lambda folder: (folder / "weights").write_text("x" * 5000) and None)
        store.set_champion(name)
    return store


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A local Argilla, as far as a backup looks at it."""
    (folder := argilla_folder(tmp_path / "home") / "data").mkdir(parents=True)
    with sqlite3.connect(folder / "argilla.db") as database:
        database.execute("CREATE TABLE records (text)")
        database.executemany("INSERT INTO records VALUES (?)", [("a long text " * 50,)] * 500)
    database.close()
    (folder.parent / "credentials.json").write_text("{}")
    return tmp_path / "home"


def refusals(work: Callable[[], object], said: Path) -> list[str]:
    """What the errors of a full disk say, at each of the writes, until no write is refused that was not before."""
    disk, found = FullDisk(spared=(said.parent,)), list[str]()

    def try_it() -> None:
        try:
            work()
        except StoreError as error:
            said.write_text(str(error))
            os._exit(REFUSED)

    while True:
        status = disk.run(try_it, stays=len(found) % 2 == 0)
        if len(found) == len(disk.refused):
            return found
        assert status == REFUSED, disk.refused[-1]
        found.append(said.read_text())


@pytest.mark.parametrize("what", ["pin", "roll back", "set aside", "set a file aside", "remove", "back up", "restore"])
def test_what_people_do_by_hand(what: str, store: Store, home: Path, tmp_path: Path) -> None:
    (notes := tmp_path / "notes").mkdir()
    target, elsewhere = tmp_path / "backup", Store(tmp_path / "elsewhere")
    if what == "restore":
        back_up(store, home, target)
    work: dict[str, Callable[[], object]] = {
        "pin": lambda: pin(store, "m0001-aaaaaaaa"),
        "roll back": store.roll_back,
        "set aside": lambda: store.set_aside("models", "m0001-aaaaaaaa"),
        "set a file aside": lambda: set_file_aside(store, "champion.json"),
        "remove": lambda: store.remove("models", "m0001-aaaaaaaa"),
        "back up": lambda: back_up(store, home, target),
        "restore": lambda: restore(target, elsewhere, tmp_path / "other home"),
    }
    found = refusals(work[what], notes / "said")
    assert found
    for said in found:
        assert "No space left on device" in said
        assert said.endswith("; free some space and run again")
        assert "\n" not in said
    assert set(verify_all(store).values()) <= {""}
    if what == "restore":
        assert elsewhere.champion() == store.champion()
    print(f"{what}: the disk was full at {len(found)} writes")
