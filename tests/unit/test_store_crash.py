"""The store under `kill -9`, two rounds at once, zombies and full disks, with real processes."""

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from processes import KillPoints, in_child, start_child

from spanloop.errors import RoundInProgress, StoreError
from spanloop.store import Store, verify_all

MODULES = (
    *(f"spanloop.store.{name}" for name in ("store", "artifacts", "contents", "locks", "champion")),
    *("spanloop.durable", "shutil", "pathlib", __name__),
)
KILLS = 50


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    store.publish("models", "m0001-aa", lambda folder: fill(folder, "old"))
    store.set_champion("m0001-aa")
    return store


def fill(folder: Path, text: str) -> None:
    (folder / "sub").mkdir()
    (folder / "weights").write_text(text * 5000)
    (folder / "sub" / "config.json").write_text(json.dumps(text))


def round_of(root: Path) -> None:
    """What a round does to the store."""
    store = Store(root)
    with store.lock("round 2"):
        store.clean()
        (store.work("r0002") / "checkpoint").write_text("half")
        store.publish("models", "m0002-bb", lambda folder: fill(folder, "new"))
        store.set_champion("m0002-bb")
        store.publish("rounds", "r0002", lambda folder: fill(folder, "report"))
        store.clean()


def content(root: Path) -> dict[str, bytes]:
    """Every file of the store but its locks."""
    files = (path for path in root.rglob("*") if path.is_file() and "locks" not in path.parts)
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def assert_readers_see_no_halves(store: Store) -> None:
    assert store.names("models")[0] == "m0001-aa"
    assert set(verify_all(store).values()) == {""}
    assert store.champion() in {"m0001-aa", "m0002-bb"}


def count_events(root: Path) -> int:
    """The number of points at which a round can be killed."""
    out = root.with_suffix(".count")

    def run() -> None:
        with KillPoints(0, MODULES) as points:
            round_of(root)
        out.write_text(str(points.seen))

    assert in_child(run) == 0
    return int(out.read_text())


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder in memory, where a thousand syncs cost nothing; what SIGKILL leaves is the same there."""
    with TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        yield Path(folder)


def test_kill_9_at_any_point_of_a_round_converges(store: Store, memory: Path) -> None:
    """SPANLOOP_ALL_KILL_POINTS=1 tries each point of all; otherwise some, evenly spread."""
    reference, killed = memory / "reference", memory / "killed"
    shutil.copytree(store.root, reference)
    before, total = content(store.root), count_events(reference)
    expected = content(reference)
    assert total > 300
    assert expected.keys() > before.keys()
    for point in range(1, total + 1, 1 if os.environ.get("SPANLOOP_ALL_KILL_POINTS") else max(1, total // KILLS)):
        shutil.copytree(store.root, killed)

        def run(point: int = point) -> None:
            with KillPoints(point, MODULES):
                round_of(killed)

        assert in_child(run) == -signal.SIGKILL, f"event {point} of {total} never came"
        assert_readers_see_no_halves(Store(killed))
        assert in_child(lambda: round_of(killed)) == 0
        assert content(killed) == expected, f"killed at event {point} of {total}"
        shutil.rmtree(killed)


PUBLISH_FOR_EVER = """
import sys
from pathlib import Path
from spanloop.store import Store, verify_all

store = Store(sys.argv[1])
first = len(store.names("models"))
with store.lock("writer"):
    store.clean()
    print("ready", flush=True)
    for i in range(first, first + 10_000):
        name = f"m{i + 1:04d}-aa"
        store.publish("models", name, lambda folder: (folder / "weights.bin").write_bytes(bytes(600_000)) and None)
        store.set_champion(name)
"""


def start_writer(root: Path) -> subprocess.Popen[str]:
    writer = subprocess.Popen([sys.executable, "-c", PUBLISH_FOR_EVER, str(root)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "ready\n"
    return writer


def test_kill_9_from_outside_again_and_again(store: Store) -> None:
    chance, published = random.Random(0), []
    for _ in range(12):
        writer = start_writer(store.root)  # the lock of the killed one is free at once
        time.sleep(chance.uniform(0.0, 0.15))
        writer.kill()
        writer.wait()
        assert set(verify_all(store).values()) == {""}
        published.append(store.names("models"))
        assert store.champion() in published[-1]
    assert all(set(before) <= set(after) for before, after in pairwise(published))
    store.clean()
    assert {x.name for x in store.models.iterdir()} == set(published[-1])
    writer = start_writer(store.root)
    wait_for(lambda: len(store.names("models")) > len(published[-1]) + 2)
    writer.kill()
    writer.wait()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_reader_beside_a_writer_sees_whole_artifacts_only(store: Store) -> None:
    writer = start_writer(store.root)
    try:
        deadline = time.monotonic() + 60
        while len(names := store.names("models")) < 15:
            store.verify("models", names[-1])
            store.path("models", store.champion() or "")
            assert time.monotonic() < deadline
    finally:
        writer.kill()
        writer.wait()


@pytest.fixture
def holder(store: Store) -> Iterator[int]:
    """A process that holds the lock."""
    ready, told = os.pipe()

    def hold() -> None:
        with store.lock("round 7"):
            os.write(told, b"x")
            time.sleep(60)

    pid = start_child(hold)
    os.read(ready, 1)
    yield pid
    try:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    except (ProcessLookupError, ChildProcessError):
        pass


def test_two_rounds_at_once(store: Store, holder: int) -> None:
    with pytest.raises(RoundInProgress) as error, store.lock("round 8"):
        pytest.fail("two hold the lock")
    message = str(error.value)
    assert f"'round 7' (process {holder} on " in message
    assert "wait until it ends" in message
    assert "\n" not in message
    store.path("models", "m0001-aa")  # readers do not mind


def test_the_lock_of_a_killed_process_is_free_at_once(store: Store, holder: int) -> None:
    os.kill(holder, signal.SIGKILL)
    os.waitpid(holder, 0)
    with store.lock("round 8") as number:
        assert number == 2


def test_a_forked_child_does_not_keep_its_dead_parents_lock(store: Store, tmp_path: Path) -> None:
    note = tmp_path / "grandchild"

    def live_on() -> None:
        note.write_text(str(os.getpid()))
        time.sleep(60)

    def hold() -> None:
        with store.lock("round 7"):
            start_child(live_on)
            wait_for(lambda: note.exists() and bool(note.read_text()))
            os.kill(os.getpid(), signal.SIGKILL)

    assert in_child(hold) == -signal.SIGKILL
    try:
        with store.lock("round 8"):
            pass
    finally:
        os.kill(int(note.read_text()), signal.SIGKILL)


def test_the_same_process_cannot_hold_the_lock_twice(store: Store) -> None:
    with store.lock("round 7"), pytest.raises(RoundInProgress), Store(store.root).lock("round 8"):
        pytest.fail("two hold the lock")
    with store.lock("round 9"):
        pass


def test_a_zombie_cannot_publish(store: Store) -> None:
    """A round loses its lock without knowing, as on a network disk; another round comes; the first wakes up."""
    wake, ready = os.pipe(), os.pipe()

    def zombie() -> None:
        mine = Store(store.root)
        with mine.lock("zombie"):
            os.write(ready[1], b"x")
            os.read(wake[0], 1)
            for act in (
                lambda: mine.publish("models", "m0002-cc", lambda folder: fill(folder, "zombie")),
                lambda: Store(store.root).publish("models", "m0003-dd", lambda folder: fill(folder, "zombie")),
                lambda: mine.set_champion("m0001-aa"),
                mine.roll_back,
            ):
                with pytest.raises(StoreError, match="superseded by holder 2"):
                    act()

    pid = start_child(zombie)
    os.read(ready[0], 1)
    (store.root / "locks" / "round.lock").unlink()
    with Store(store.root).lock("round 8") as number:
        assert number == 2
        Store(store.root).publish("models", "m0002-bb", lambda folder: fill(folder, "new"))
        Store(store.root).set_champion("m0002-bb")
        os.write(wake[1], b"x")
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert store.names("models") == ["m0001-aa", "m0002-bb"]
    assert store.champion() == "m0002-bb"
    assert set(verify_all(store).values()) == {""}


def test_a_thread_that_outlives_its_round_cannot_publish(store: Store) -> None:
    with store.lock("round 1"):
        pass
    assert in_child(lambda: Store(store.root).lock("round 2").__enter__()) == 0
    with pytest.raises(StoreError, match="superseded by holder 2"):
        store.publish("models", "m0002-cc", lambda folder: fill(folder, "late"))
    with store.lock("round 3"):
        store.publish("models", "m0002-bb", lambda folder: fill(folder, "new"))


def test_no_room_at_any_step_leaves_the_store_as_it_was(store: Store) -> None:
    """The operating system refuses to write beyond a size: first in the model's files, then in the manifest."""
    before = content(store.root)
    for limit in (0, 100, 10_000, 15_000):

        def refused(limit: int = limit) -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
            with pytest.raises(StoreError) as error:
                store.publish("models", "m0002-bb", lambda folder: fill(folder, "news"))
            assert "cannot publish models/m0002-bb: File too large" in str(error.value)

        assert in_child(refused) == 0
        assert content(store.root) == before


FULL_DISK = """
import sys
from pathlib import Path
from spanloop.errors import StoreError
from spanloop.store import Store, verify_all

store = Store(sys.argv[1])
store.publish("models", "m1", lambda folder: (folder / "a").write_bytes(bytes(100_000)) and None)
try:
    store.publish("models", "m2", lambda folder: (folder / "a").write_bytes(bytes(3_000_000)) and None)
except StoreError as error:
    print(error)
store.publish("models", "m3", lambda folder: (folder / "a").write_bytes(bytes(100_000)) and None)
print(store.names("models"), set(verify_all(store).values()))
"""


def test_a_really_full_disk(tmp_path: Path) -> None:
    mount = f"mount -t tmpfs -o size=1m none {tmp_path} && exec {sys.executable} -c '{FULL_DISK}' {tmp_path}/store"
    command = ["unshare", "--mount", "--map-root-user", "sh", "-c", mount]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("no unshare(1) here")
    if "mount" in done.stderr or "unshare" in done.stderr:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    told, seen = done.stdout.splitlines()
    assert told.startswith("cannot publish models/m2: No space left on device")
    assert seen == "['m1', 'm3'] {''}"
