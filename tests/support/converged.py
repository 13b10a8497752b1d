"""Two loops that lived through the same, one of them under faults: are they the same now?"""

import hashlib
from typing import Any

from world import World

from spanloop.config import SplitConfig
from spanloop.rounds.work import read_round
from spanloop.store import KINDS


def assert_converged(world: World, calm: World) -> None:
    """What is published and what stands in Argilla is the same, and nothing is damaged or left over.

    Args:
        world: The loop under faults.
        calm: The other one.
    """
    assert world.state() == calm.state()
    assert weights(world) == weights(calm)
    assert world.store.champion() == calm.store.champion()
    for kind in KINDS:
        assert world.store.names(kind) == calm.store.names(kind)
        for name in world.store.names(kind):
            world.store.verify(kind, name)
            assert world.store.manifest(kind, name)["files"].keys() == calm.store.manifest(kind, name)["files"].keys()
    assert world.store.groups.read(SplitConfig()) == calm.store.groups.read(SplitConfig())
    assert lasting(world) == lasting(calm)
    assert world.store.leftovers() == []
    assert {path.name for path in (world.store.root / "work").iterdir()} <= {"scores", "looks"}


def weights(world: World) -> dict[str, str]:
    """The sha256 of each model's weights."""
    return {
        name: hashlib.sha256((world.store.path("models", name) / "model.safetensors").read_bytes()).hexdigest()
        for name in world.store.names("models")
    }


def lasting(world: World) -> dict[str, Any]:
    """What the last round says of its data and models, without what its dataset's name, clocks and faults decide."""
    report = read_round(world.store, world.store.names("rounds")[-1]).model_dump(mode="json")
    figures = report["figures"]
    differs = {"seconds": 0, "key": "", "answered_until": ""}
    steps = {name: {**figures[name], **differs} for name in ("annotations", "snapshot", "evaluate", "gate")}
    steps["outlook"] = {**figures["outlook"], "seconds": 0, "effort": None}
    models = {name: figures["train"][name] for name in ("champion", "challenger", "reason")}
    return {**steps, "models": models, "reason": report["reason"], "champion": report["champion"]}
