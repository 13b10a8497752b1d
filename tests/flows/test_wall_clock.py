"""A clock that jumps between rounds and within them changes nothing: no order, no lease, nothing that is kept."""

import os
import time
from collections.abc import Callable
from itertools import pairwise
from random import Random

import pytest
from converged import assert_converged
from forked_rounds import ForkedRounds
from killed_round import STEPS
from people import answers_in
from sentences import sentences
from world import World

HOUR, DAY, YEAR = 3600.0, 86400.0, 365 * 86400.0
LONG = os.environ.get("SPANLOOP_LONG") == "1"
SEEDS = range(2) if LONG else [6]  # a year ahead, then 1970


@pytest.mark.parametrize("seed", SEEDS)
def test_a_clock_that_jumps_changes_nothing(make_world: Callable[..., World], rounds: ForkedRounds, seed: int) -> None:
    chance, calm, shaken = Random(seed), make_world(sentences(50)).shrink(), make_world(sentences(50)).shrink()
    for world in (calm, shaken):
        world.config.retention.models = world.config.retention.rounds = world.config.retention.snapshots = 1
    jumps = [-HOUR, -DAY, -time.time(), YEAR]
    chance.shuffle(jumps)
    for wrong, jump in pairwise([0.0, *jumps, 0.0] if LONG else [0.0, *jumps[:2]]):
        for world in (calm, shaken):
            world.annotate(6 if world.store.names("rounds") else 16)
        answers = answers_in(shaken.records())
        rounds.run(calm.config)
        clock = [("", wrong), (f"before:{chance.choice(STEPS)}", jump)]
        trained = 0.0
        if jump in jumps[::2]:
            assert rounds.run(shaken.config, "middle:publish-model", clock=clock).report is None
            (weights,) = shaken.store.root.glob("work/train-*/model.safetensors")
            trained, clock = weights.stat().st_mtime, [("", jump)]
        ended = rounds.run(shaken.config, clock=clock)
        assert ended.report, ended.refused
        assert answers_in(shaken.records()) == answers
        assert_converged(shaken, calm)
        model = shaken.store.names("models")[-1]
        if trained:  # what a killed round left is not trained anew, however old it looks
            assert (shaken.store.path("models", model) / "model.safetensors").stat().st_mtime == trained
    print(f"seed {seed}: jumps by {jumps} seconds")
