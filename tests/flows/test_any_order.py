"""The whole loop as a state machine: whatever happens, in any order, nothing of anybody's is lost or misread.

People answer, change their minds and take answers back; records come, change and go; scripts wipe metadata; other tools
suggest; rounds run, are killed and are rolled back; stores are backed up, restored, and take the dataset from each
other; labels are renamed, merged and left out, and a new one moves all to another dataset. What must hold after every
step stands in `support/any_order.py` and `support/expected.py`. `SPANLOOP_LONG=1` tries many more.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from random import Random, SystemRandom
from typing import Any, ClassVar

import hypothesis
import pytest
from any_order import AnyOrder
from forked_rounds import ForkedRounds
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from killed_round import FIRSTS, MIDDLES, STEPS
from people import People
from world import World

from spanloop.records import ResponseStatus
from spanloop.rehearsal.annotator import simulated_annotators

OUTCOMES = {"promoted", "kept", "nothing new", "killed", "refused"}
LONG = os.environ.get("SPANLOOP_LONG") == "1"
POINTS = [*(f"before:{step}" for step in STEPS), *FIRSTS, *MIDDLES]
PICKS, PEOPLE, FEW = st.integers(0, 59), st.integers(0, 2), st.integers(1, 4)
THEN = st.sampled_from(["no round"] * 8 + ["round"] * 16 + POINTS)
STATUSES: tuple[ResponseStatus, ...] = ("submitted", "draft", "discarded")
SOME = st.integers(0, 17), st.integers(1, 18)  # lines of the file, most of which are there from the start
AFTER_THE_GATE = ["before:score", "before:log", "before:close"]
# What can happen, and how: methods of `AnyOrder` and what each is given.
KINDS: dict[str, tuple[st.SearchStrategy[Any], ...]] = {
    "answer_in_turn": (FEW, PEOPLE),
    "answer": (PICKS, PEOPLE, st.sampled_from(STATUSES), st.booleans()),
    "take_back": (PICKS,),
    "delete": (PICKS,),
    "import_lines": (PICKS, FEW, st.sampled_from(["nothing", "suggestions"])),
    "import_answers": (*SOME, st.booleans()),
    "edit": (PICKS, PICKS),
    "wipe": (PICKS, st.sampled_from([1, 60])),
    "suggest": (PICKS,),
    "relabel": (st.sampled_from(["rename", "merge", "leave out", "order", "as it was"]),),
    "move": (),
    "deal_anew": (st.integers(1, 9),),
    "roll_back": (FEW, st.sampled_from(["round", *AFTER_THE_GATE])),
    "back_up": (),
    "restore": (),
    "change_store": (PICKS,),
    "adopt": (PICKS,),
}


class Happenings(RuleBasedStateMachine):
    """What can happen to a loop, in any order; after each thing comes a round, one that is killed, or none."""

    make: ClassVar[Callable[[], AnyOrder]]
    hand: ClassVar[list[str]]
    tally: ClassVar[Counter[str]]

    @initialize(annotated=st.integers(6, 14), pick=PICKS, then=THEN)
    def begin(self, annotated: int, pick: int, then: str) -> None:
        self.loop = self.make()
        self.loop.import_lines(0, annotated, "responses")
        self.loop.import_lines(annotated, 18 - annotated, "nothing")
        for who, status in enumerate(STATUSES):
            self.loop.answer(pick + who, who, status, right=False)
        self.loop.round(then)

    @rule(data=st.data(), then=THEN)
    def happen(self, data: st.DataObject, then: str) -> None:
        kind = data.draw(st.sampled_from(self.hand))
        self.tally[kind] += getattr(self.loop, kind)(*data.draw(st.tuples(*KINDS[kind])))
        self.loop.round(then)

    @invariant()
    def nothing_is_lost(self) -> None:
        if hasattr(self, "loop"):
            self.loop.check()


def hands(count: int, random: Random) -> Iterator[list[str]]:
    """Half of the kinds at a time, each as often as any other (swarm testing: Groce et al., 2012)."""
    for _ in range(count // 2):
        kinds = random.sample([*KINDS], len(KINDS))
        yield from (kinds[::2], kinds[1::2])


def test_nothing_is_lost_in_any_order(
    make_world: Callable[..., World], rounds: ForkedRounds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, tally = count(), Counter[str]()
    people = simulated_annotators((world := make_world([])).client, world.dataset, 2)

    def make() -> AnyOrder:
        world = make_world([]).shrink()
        world.config.training.min_steps = 10
        (folder := tmp_path / f"example-{next(number)}").mkdir()
        return AnyOrder(world, People(world, [world.client, *people]), rounds, folder, tally)

    random = Random(seed := SystemRandom().getrandbits(32) if LONG else 0)
    monkeypatch.setattr(Happenings, "make", staticmethod(make), raising=False)
    monkeypatch.setattr(Happenings, "tally", tally, raising=False)
    for hand in hands(40 if LONG else 4, random):
        print(f"seed {seed}: {hand}")
        monkeypatch.setattr(Happenings, "hand", hand, raising=False)
        run_state_machine_as_test(
            hypothesis.seed(random.getrandbits(32))(Happenings),
            settings=settings(
                max_examples=5,
                stateful_step_count=8 if LONG else 6,
                deadline=None,
                database=None,
                phases=[Phase.generate],
                report_multiple_bugs=False,  # the first is enough to know
                suppress_health_check=list(HealthCheck),
            ),
        )
    print(f"{len(list(tmp_path.glob('example-*')))} orders: {dict(sorted(tally.items()))}")
    assert (+tally).keys() >= OUTCOMES
    assert [kind for kind in KINDS if not tally[kind]] == []  # whatever can happen did, also every day
