"""A tenth of a round's requests is broken: it ends as if none was, or in one line, and the next one makes good.

`SPANLOOP_LONG=1` breaks them in each way alone, too; otherwise in all ways at once.
"""

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product
from random import Random

import pytest
from converged import assert_converged
from faults import FAULTS, PATIENCE, Proxy
from people import answers_in
from sentences import sentences
from world import World, run

from spanloop.errors import SpanloopError

pytestmark = pytest.mark.usefixtures("prefect_server")
LONG = os.environ.get("SPANLOOP_LONG") == "1"
KINDS = [FAULTS, *([fault] for fault in FAULTS)] if LONG else [FAULTS]
SEEDS = (33, 121, 188) if LONG else (121, 188)  # a round has some 25 requests: those meet each fault
SHARE = 0.1


def some(faults: Sequence[str], seed: int, points: "Counter[str]") -> Callable[[str, str], str]:
    """Break a tenth of the requests, whatever they are for, and count how."""
    chance = Random(f"{faults} {seed}")

    def choose(method: str, path: str) -> str:
        if chance.random() >= SHARE:
            return ""
        points[fault := chance.choice(faults)] += 1
        return fault

    return choose


def behind(world: World, proxy: Proxy) -> World:
    """The same loop with a little patience on the faulty network."""
    config = world.config.model_copy(deep=True)
    config.argilla.api_url, config.argilla.timeout_seconds = proxy.url, PATIENCE
    return replace(world, config=config)


def refusal(world: World) -> str:
    """Run a round; what the error says, if it is refused."""
    try:
        run(world)
    except SpanloopError as error:
        return str(error)
    return ""


def test_a_round_on_a_faulty_network_converges(make_world: Callable[..., World], proxy: Proxy) -> None:
    def make() -> World:
        world = make_world(sentences(40)).shrink()
        world.config.argilla.find_similar = True
        world.annotate(16)
        return world

    calm = make()
    points, refused = Counter[str](), list[str]()
    run(calm)
    for faults, seed in product(KINDS, SEEDS):
        world = make()
        answers = answers_in(world.records())
        proxy.fault = some(faults, seed, points)
        if said := refusal(behind(world, proxy)):
            assert "\n" not in said
            refused.append(said)
            run(world)
        assert answers_in(world.records()) == answers
        assert_converged(world, calm)
    rounds = len(KINDS) * len(SEEDS)
    print(f"{points.total()} requests broken in {rounds} rounds: {dict(points)}; refused: {refused}")
    assert points.keys() == set(FAULTS)
