"""A disk that is full at any write of a round: one line that says so, nothing is damaged, and it goes on from there.

`SPANLOOP_LONG=1` tries every write; otherwise some, evenly spread.
"""

import os
from collections.abc import Callable
from pathlib import Path

import command_lines
import full_disk
import pytest
import yaml
from command_lines import RESIZE, spanloop
from converged import assert_converged
from forked_rounds import ForkedRounds
from people import answers_in
from sentences import sentences
from world import World

from spanloop.store import verify_all

LONG = os.environ.get("SPANLOOP_LONG") == "1"
EVERY = 1 if LONG else 40
ANNOTATED = (16, 6, 6) if LONG else (16, 6)  # in each round; the third prunes
SIZES = range(16, 1200, 148) if LONG else (400,)  # kilobytes; the first are too small for a round


def assert_told_and_harmless(world: World, said: str) -> None:
    """One line that names the disk and the way out; what is published is whole."""
    assert "No space left on device" in said
    assert said.endswith("free some space and run again")
    assert "\n" not in said
    if world.store.root.exists():
        assert set(verify_all(world.store).values()) == {""}


@pytest.mark.skipif(bool(full_disk.why_not()), reason=full_disk.why_not())
def test_a_round_goes_on_when_there_is_room_again(make_world: Callable[..., World], rounds: ForkedRounds) -> None:
    """Every other time the disk stays full until the round ends; else it has room again at once."""
    calm, full = (make_world(sentences(40)).shrink() for _ in range(2))
    for world in (calm, full):
        world.config.training.folds, world.config.argilla.find_similar = 2, True
        world.config.retention.models = world.config.retention.rounds = world.config.retention.snapshots = 1
    tried = 0
    for count in ANNOTATED:
        for world in (calm, full):
            world.annotate(count)
        answers = answers_in(full.records())
        rounds.run(calm.config)
        while (ended := rounds.run(full.config, full_every=EVERY, stays=tried % 2 == 0)).report is None:
            assert_told_and_harmless(full, ended.refused)
            tried += 1
        assert answers_in(full.records()) == answers
        assert_converged(full, calm)
    print(f"the disk was full at {tried} of {rounds.writes} writes")
    assert tried >= rounds.writes // EVERY - 3


@pytest.mark.usefixtures("prefect_server")
def test_a_disk_that_is_really_full(
    make_world: Callable[..., World], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small disk of its own that grows, and `spanloop run` on it."""
    from prefect.settings import PREFECT_API_URL

    monkeypatch.setenv("PREFECT_API_URL", str(PREFECT_API_URL.value()))
    (disk := tmp_path / "disk").mkdir()
    if why := command_lines.why_not(disk, "small-disk"):
        pytest.skip(why)
    world = make_world(sentences(40)).shrink()
    world.config.training.folds, world.config.store = 2, str(disk / "store")
    (config := tmp_path / "spanloop.yaml").write_text(yaml.safe_dump(world.config.model_dump(mode="json")))
    world.annotate(16)
    answers, orders = answers_in(world.records()), list[list[str]]()
    for size in SIZES:
        orders += [[RESIZE, f"{size}k"], ["run", "--config", str(config)], ["store", "verify", "--config", str(config)]]
    orders += [[RESIZE, "1g"], ["run", "--config", str(config)], ["store", "verify", "--config", str(config)]]
    said = spanloop(orders, "small-disk", str(disk))
    refused = [each for each in zip(said[:-2:2], said[1:-2:2], strict=True) if each[0].code]
    for run, verify in refused:
        *log, last = run.err.splitlines()
        assert run.code == 2
        assert last.startswith("spanloop: ")
        assert last.endswith("free some space and run again")
        assert not any(line.startswith("Traceback") for line in log), run.err
        assert verify.code == 0, verify
    run, verify = said[-2:]
    assert (run.code, verify.code) == (0, 0), run
    assert "promoted" in "".join(each.out for each in said)
    assert answers_in(world.records()) == answers
    print(f"the disk was really full at {len(refused)} of {len(SIZES)} sizes")
    assert refused


def test_a_temporary_server_without_room(
    make_world: Callable[..., World], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (disk := tmp_path / "disk").mkdir()
    if why := command_lines.why_not(disk, "small-disk"):
        pytest.skip(why)
    (config := tmp_path / "spanloop.yaml").write_text(yaml.safe_dump(make_world([]).config.model_dump(mode="json")))
    monkeypatch.setenv("PREFECT_HOME", str(disk / "prefect"))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    (run,) = spanloop([[RESIZE, "64k"], ["run", "--config", str(config)]], "small-disk", str(disk))
    assert f"{disk / 'prefect'} has 0.1 MB left" in run.one_line()
    assert run.err.endswith("or set PREFECT_HOME to another folder\n")
