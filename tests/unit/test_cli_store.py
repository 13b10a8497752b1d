"""`spanloop store` and `spanloop rollback`, as typed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from spanloop.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    (tmp_path / "spanloop.yaml").write_text("store: store\n")
    store = Store(tmp_path / "store")
    for name in ("m0001-aa", "m0002-bb"):
        store.publish("models", name, lambda folder: (folder / "weights").write_bytes(bytes(1_500_000)) and None)
        store.set_champion(name)
    return store


def spanloop(store: Store, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from spanloop.cli import main; main()", *arguments]
    environ = {**os.environ, "COLUMNS": "200", "PYTHONUTF8": "1"}  # tables are drawn by width and encoding
    return subprocess.run(
        command, cwd=store.root.parent, env=environ, capture_output=True, encoding="utf-8", check=False
    )


def test_list(store: Store) -> None:
    done = spanloop(store, "store", "list")
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines() if line.strip().startswith("model")]
    assert lines == [
        ["model", "m0001-aa", "1.5", "was", "in", "service", "before"],
        ["model", "m0002-bb", "1.5", "in", "service"],
    ]


def test_verify(store: Store) -> None:
    done = spanloop(store, "store", "verify")
    assert (done.returncode, done.stdout) == (0, f"all well: 2 artifacts in {store.root}, champion m0002-bb\n")
    (store.models / "m0001-aa" / "weights").write_bytes(b"")
    done = spanloop(store, "store", "verify")
    assert (done.returncode, done.stdout) == (2, "")
    found, summary = done.stderr.splitlines()
    assert found.startswith(f"models/m0001-aa: {store.models / 'm0001-aa' / 'weights'} is corrupt")
    assert summary == f"spanloop: 1 of 3 checks of {store.root} failed: models/m0001-aa"


def test_rollback_is_one_command(store: Store) -> None:
    done = spanloop(store, "rollback")
    assert done.returncode == 0
    assert done.stdout.startswith("m0001-aa is in service again, m0002-bb no longer")
    assert store.champion() == "m0001-aa"
    done = spanloop(store, "rollback")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"spanloop: {store.root} has no champion before m0001-aa; nothing to go back to\n"
    assert store.champion() == "m0001-aa"


def test_rollback_waits_for_no_running_round(store: Store) -> None:
    with store.lock("round"):
        done = spanloop(store, "rollback")
    assert done.returncode == 2
    assert f"spanloop: 'round' (process {os.getpid()} on" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert store.champion() == "m0002-bb"


def test_an_empty_store_is_not_created_by_looking(tmp_path: Path) -> None:
    (tmp_path / "spanloop.yaml").write_text("store: store\n")
    store = Store(tmp_path / "store")
    assert "is empty" in spanloop(store, "store", "list").stdout
    assert spanloop(store, "store", "verify").stdout == f"all well: 0 artifacts in {store.root}, champion none yet\n"
    assert "does not exist; the first 'spanloop run' makes it" in spanloop(store, "rollback").stderr
    assert not store.root.exists()
