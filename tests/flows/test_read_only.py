"""A store that can only be read: what needs no more works, the rest is one line and exit code 2."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from command_lines import spanloop, why_not
from forked_rounds import ForkedRounds
from people import answers_in
from sentences import sentences
from world import World

LONG = os.environ.get("SPANLOOP_LONG") == "1"
READING = [["store", "verify"], ["store", "list"], ["store", "prune", "--dry-run"], ["report"], ["agreement"]]
WRITING = [["run"], ["rollback"], ["adopt"], ["store", "pin", "r0001"]]


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("limit", ["read-only", "drop-rights"] if LONG else ["read-only"])
def test_a_store_that_can_only_be_read(
    make_world: Callable[..., World], rounds: ForkedRounds, tmp_path: Path, limit: str
) -> None:
    if why := why_not(tmp_path, limit):
        pytest.skip(why)
    world = make_world(sentences(40)).shrink()
    world.annotate(16)
    assert rounds.run(world.config).report
    world.annotate(4)  # there is work for a round
    (config := tmp_path / "spanloop.yaml").write_text(yaml.safe_dump(world.config.model_dump(mode="json")))
    store, refusal = world.store.root, "Read-only file system"
    before = files(store), answers_in(world.records()), world.state()
    if limit == "drop-rights":
        refusal = "Permission denied"
        for path in (store, *store.rglob("*")):
            path.chmod(path.stat().st_mode & 0o555)
    backup = ["backup", str(tmp_path / "backup")]
    orders = [*READING, *WRITING, ["doctor"], backup]
    where = [str(store)] if limit == "read-only" else []
    said = spanloop([[*order, "--config", str(config)] for order in orders], limit, *where)
    for order, each in zip(orders, said, strict=True):
        if order in READING:
            assert (each.code, each.err) == (0, ""), order
        elif order in WRITING:
            assert refusal in each.one_line(), order
            assert each.err.endswith("; check the disk and the folder's permissions\n")
    assert f"{store} cannot be written; check its permissions, or set store to another folder" in said[-2].out
    assert said[-2].code == 2
    if limit == "read-only":  # nobody can change what is copied
        assert said[-1].code == 0, said[-1]
    else:
        assert refusal in said[-1].one_line()
    assert (files(store), answers_in(world.records()), world.state()) == before
