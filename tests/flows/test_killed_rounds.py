"""Kill -9 at every step boundary, and in the middle of every effect: running again ends in the same state."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import killed_round
from sentences import sentences
from world import World

from spanloop.argilla import Scored, write_suggestions
from spanloop.argilla.sending import IMPORT_AGENT
from spanloop.config import SplitConfig
from spanloop.records import Suggestion

STEPS = [
    "pull",
    "annotations",
    "news",
    "snapshot",
    "train",
    "evaluate",
    "gate",
    "score",
    "prioritise",
    "log",
    "outlook",
    "close",
]
POINTS = [
    "before:pull",
    "middle:bind",
    "middle:lease",
    "after:pull",
    "after:annotations",
    "after:news",
    "after:snapshot",
    "middle:publish-model",
    "after:train",
    "after:evaluate",
    "middle:promotion",
    "after:gate",
    "after:score",
    "after:prioritise",
    "middle:bulk-write",
    "middle:withdrawal",
    "after:log",
    "after:outlook",
    "middle:publish-round",
]


def drive(folder: Path, *rounds: tuple[World, list[str]]) -> list[dict[str, Any]]:
    """Run a round of each world, killed at the given points first."""
    worlds = []
    for number, (world, points) in enumerate(rounds):
        config = folder / f"{number}.json"
        config.write_text(world.config.model_dump_json())
        worlds.append(",".join([str(config), *points]))
    out = folder / "out.json"
    environ = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, killed_round.__file__, str(out), *worlds], check=True, env=environ, timeout=600)
    return json.loads(out.read_text())


def weights(world: World) -> dict[str, str]:
    return {
        name: hashlib.sha256((world.store.path("models", name) / "model.safetensors").read_bytes()).hexdigest()
        for name in world.store.names("models")
    }


def lasting(report: dict[str, Any]) -> dict[str, Any]:
    """What a round says of its data and models, without what its dataset's name, the clock and the kills decide."""
    figures = report["figures"]
    steps = {
        name: {**figures[name], "seconds": 0, "key": ""} for name in ("annotations", "snapshot", "evaluate", "gate")
    }
    steps["outlook"] = {**figures["outlook"], "seconds": 0, "effort": None}
    models = {name: figures["train"][name] for name in ("champion", "challenger", "reason")}
    return {**steps, "models": models, "reason": report["reason"], "champion": report["champion"]}


def suggest_on_held_out(world: World) -> int:
    """What an earlier version suggested for records that are annotated blind by now; how many there are."""
    held_out = [record for record in world.pending() if world.config.is_blind(record.group)]
    found = [Scored(record.id, Suggestion((), IMPORT_AGENT), 0.5) for record in held_out]
    return write_suggestions(world.client, world.dataset, found).suggested


def test_a_killed_round_converges(make_world: Callable[..., World], tmp_path: Path) -> None:
    """Rounds killed 21 times and ones never killed leave the same store and the same Argilla."""
    assert {p.partition(":")[2] for p in POINTS if not p.startswith("middle")} == {*STEPS} - {"close"}
    assert {p for p in POINTS if p.startswith("middle")} == {*killed_round.MIDDLES, *killed_round.RENEWED}
    calm, killed = make_world(sentences(50)), make_world(sentences(50))
    _, first = drive(tmp_path, (calm, []), (killed, [*killed_round.FIRSTS]))
    assert first["ends"] == [-9] * len(killed_round.FIRSTS) + [0]
    assert [world.annotate(32) for world in (calm, killed)] == [32, 32]
    shown = [suggest_on_held_out(world) for world in (calm, killed)]
    assert shown[0] == shown[1] >= 2

    undisturbed, survived, again = drive(tmp_path, (calm, []), (killed, POINTS), (killed, []))
    assert survived["ends"] == [-9] * len(POINTS) + [0]
    assert undisturbed["report"]["outcome"] == survived["report"]["outcome"] == "promoted"

    assert killed.state() == calm.state()
    assert {suggestion is None for suggestion, _, version in killed.state().values() if version is None} == {True}
    assert weights(killed) == weights(calm)
    assert killed.store.champion() == calm.store.champion()
    for kind in ("snapshots", "models", "rounds"):
        assert killed.store.names(kind) == calm.store.names(kind)
        assert all(killed.store.verify(kind, name) is None for name in killed.store.names(kind))
    assert killed.store.groups.read(SplitConfig()) == calm.store.groups.read(SplitConfig())
    assert lasting(survived["report"]) == lasting(undisturbed["report"])

    assert again["report"]["outcome"] == "nothing new"
    assert not list((killed.store.root / "work").glob("r*"))
