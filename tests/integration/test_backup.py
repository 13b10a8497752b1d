"""A backup of the store and the local Argilla, made while both are in use, and the loop that goes on from it."""

import shutil
import threading
from pathlib import Path

import pytest

from spanloop.argilla import ArgillaClient, connect, pull
from spanloop.argilla.sending import submit_response
from spanloop.config import SplitConfig
from spanloop.errors import SpanloopError
from spanloop.local_argilla import process
from spanloop.local_argilla.process import Running
from spanloop.processes.ports import free_port
from spanloop.records import Span
from spanloop.services.backup import back_up, restore
from spanloop.store import Store, verify_all
from spanloop.store.groups import Dealing


def make_store(root: Path, text: str = "x") -> Store:
    store = Store(root)
    store.publish("models", "m0001-aaaaaaaa", lambda folder: (folder / "weights").write_text(text * 100_000))
    store.set_champion("m0001-aaaaaaaa")
    store.groups.write(Dealing(SplitConfig(), {"r1": "a"}, {"a": "test"}))
    return store


def test_what_is_restored_is_what_was_backed_up(
    argilla_server: Running, argilla_home: Path, server_environ: dict[str, str], client, loop, fill, tmp_path: Path
) -> None:
    dataset = fill({f"r{i}": f"Anna lives in Paris {i}" for i in range(5)})
    (record, *_) = pull(client, dataset)
    submit_response(client, dataset, record, [Span(0, 4, "person")])
    store = make_store(tmp_path / "store")
    parts = back_up(store, argilla_home, tmp_path / "backup")
    assert [part.split(" (")[0] for part in parts] == ["the store", "the local Argilla"]
    before = {r.id: (r.text, r.responses) for r in pull(client, dataset)}

    home, again = tmp_path / "home", Store(tmp_path / "elsewhere")
    restore(tmp_path / "backup", again, home)
    assert again.champion() == "m0001-aaaaaaaa"
    assert again.groups.read(SplitConfig()) == store.groups.read(SplitConfig())
    assert set(verify_all(again).values()) == {""}
    running = process.start(home, port=free_port(), environ=server_environ)
    try:
        with ArgillaClient(running.url, running.api_key, timeout=30) as other:
            assert {r.id: (r.text, r.responses) for r in pull(other, dataset)} == before
    finally:
        process.stop(home)


def test_nothing_is_overwritten_and_a_damaged_backup_is_refused(tmp_path: Path) -> None:
    store = make_store(tmp_path / "store")
    back_up(store, tmp_path, tmp_path / "backup")
    with pytest.raises(SpanloopError, match="is there already"):
        back_up(store, tmp_path, tmp_path / "backup")
    with pytest.raises(SpanloopError, match="is not empty; move it away"):
        restore(tmp_path / "backup", store, tmp_path)
    shutil.move(store.root, tmp_path / "away")
    restore(tmp_path / "backup", store, tmp_path)
    assert set(verify_all(store).values()) == {""}
    with pytest.raises(SpanloopError, match="is no backup"):
        restore(tmp_path / "store", Store(tmp_path / "new"), tmp_path)
    with pytest.raises(SpanloopError, match="neither the store"):
        back_up(Store(tmp_path / "none"), tmp_path, tmp_path / "other")
    (tmp_path / "backup" / "store" / "groups.json").write_text("{}")
    with pytest.raises(SpanloopError, match=r"groups\.json is corrupt"):
        restore(tmp_path / "backup", Store(tmp_path / "new"), tmp_path)
    assert not (tmp_path / "new").exists()


def test_a_store_that_rounds_publish_to_meanwhile_is_copied_whole(tmp_path: Path) -> None:
    store, stop = make_store(tmp_path / "store"), threading.Event()

    def publish() -> None:
        number = 2
        while not stop.is_set():
            name = f"m{number:04}-aaaaaaaa"
            store.publish("models", name, lambda folder: (folder / "weights").write_text("y" * 50_000))
            store.set_champion(name)
            if number > 3:
                store.remove("models", f"m{number - 2:04}-aaaaaaaa")
            number += 1

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        for i in range(5):
            back_up(store, tmp_path, tmp_path / f"backup{i}")
    finally:
        stop.set()
        thread.join()
    for i in range(5):
        restore(tmp_path / f"backup{i}", again := Store(tmp_path / f"again{i}"), tmp_path / "home")
        assert set(verify_all(again).values()) == {""}


def test_the_key_of_a_restored_argilla_is_found(
    argilla_server: Running, argilla_home: Path, client, loop, fill, tmp_path: Path
) -> None:
    fill({"r1": "Anna"})
    back_up(make_store(tmp_path / "store"), argilla_home, tmp_path / "backup")
    restore(tmp_path / "backup", Store(tmp_path / "again"), tmp_path / "home")
    assert (tmp_path / "home" / "argilla" / "credentials.json").stat().st_mode & 0o077 == 0
    with connect(loop, {"SPANLOOP_HOME": str(tmp_path / "home")}) as found:
        assert found.get("me")["username"] == argilla_server.username
