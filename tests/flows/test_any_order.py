"""The whole loop as a state machine: whatever happens, in any order, nothing of anybody's is lost or misread.

People answer, change their minds and take answers back; records come, change and go; scripts wipe metadata; other tools
suggest; rounds run, are killed and are rolled back; stores are backed up, restored, and take the dataset from each
other. What must hold after every step stands in `support/any_order.py`. `SPANLOOP_LONG=1` tries many more.
"""

import os
from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import ClassVar

import pytest
from any_order import AnyOrder
from forked_rounds import ForkedRounds
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from killed_round import FIRSTS, MIDDLES, STEPS
from people import People
from world import World

from spanloop.importing import AnnotationsAs
from spanloop.records import ResponseStatus
from spanloop.rehearsal.annotator import simulated_annotators

HAPPENED = {"promoted", "kept", "nothing new", "killed", "refused"}  # whatever orders are drawn
LONG = os.environ.get("SPANLOOP_LONG") == "1"
POINTS = [*(f"before:{step}" for step in STEPS), *FIRSTS, *MIDDLES]
PICKS, PEOPLE, FEW = st.integers(0, 59), st.integers(0, 2), st.integers(1, 4)
THEN = st.sampled_from(["no round"] * 8 + ["round"] * 16 + POINTS)
STATUSES = ["submitted", "draft", "discarded"]


class Happenings(RuleBasedStateMachine):
    """What can happen to a loop, in any order; after each thing comes a round, one that is killed, or none."""

    make: ClassVar[Callable[[], AnyOrder]]

    @initialize(annotated=st.integers(6, 14), then=THEN)
    def begin(self, annotated: int, then: str) -> None:
        self.loop = self.make()
        self.loop.import_lines(0, 18)
        self.loop.answer_in_turn(annotated, 0)
        self.loop.round(then)

    @rule(number=FEW)
    def learn(self, number: int) -> None:
        self.loop.answer_in_turn(number, 0)
        self.loop.round("round")

    @rule(number=FEW, who=PEOPLE, then=THEN)
    def submit(self, number: int, who: int, then: str) -> None:
        self.loop.answer_in_turn(number, who)
        self.loop.round(then)

    @rule(pick=PICKS, who=PEOPLE, status=st.sampled_from(STATUSES), right=st.booleans(), then=THEN)
    def answer(self, pick: int, who: int, status: ResponseStatus, right: bool, then: str) -> None:
        self.loop.answer(pick, who, status, right=right)
        self.loop.round(then)

    @rule(pick=PICKS, then=THEN)
    def take_back(self, pick: int, then: str) -> None:
        self.loop.take_back(pick)
        self.loop.round(then)

    @rule(pick=PICKS, then=THEN)
    def delete(self, pick: int, then: str) -> None:
        self.loop.delete(pick)
        self.loop.round(then)

    @rule(start=PICKS, number=FEW, annotations=st.sampled_from(["nothing", "suggestions"]), then=THEN)
    def import_lines(self, start: int, number: int, annotations: AnnotationsAs, then: str) -> None:
        self.loop.import_lines(start, number, annotations)
        self.loop.round(then)

    @rule(pick=PICKS, line=PICKS, then=THEN)
    def edit(self, pick: int, line: int, then: str) -> None:
        self.loop.edit(pick, line)
        self.loop.round(then)

    @rule(start=PICKS, number=st.sampled_from([1, 60]), then=THEN)
    def wipe(self, start: int, number: int, then: str) -> None:
        self.loop.wipe(start, number)
        self.loop.round(then)

    @rule(pick=PICKS, then=THEN)
    def suggest(self, pick: int, then: str) -> None:
        self.loop.suggest(pick)
        self.loop.round(then)

    @precondition(lambda self: self.loop.world.store.previous_champion())
    @rule(then=THEN)
    def roll_back(self, then: str) -> None:
        self.loop.roll_back()
        self.loop.round(then)

    @precondition(lambda self: self.loop.world.store.names("rounds"))
    @rule(then=THEN)
    def back_up(self, then: str) -> None:
        self.loop.back_up()
        self.loop.round(then)

    @precondition(lambda self: self.loop.backup)
    @rule(then=THEN)
    def restore(self, then: str) -> None:
        self.loop.restore()
        self.loop.round(then)

    @rule(pick=PICKS, then=THEN)
    def change_store(self, pick: int, then: str) -> None:
        self.loop.change_store(pick)
        self.loop.round(then)

    @precondition(lambda self: not self.loop.ours)
    @rule(then=THEN)
    def adopt(self, then: str) -> None:
        self.loop.adopt()
        self.loop.round(then)

    @invariant()
    def nothing_is_lost(self) -> None:
        if hasattr(self, "loop"):
            self.loop.check()


def test_nothing_is_lost_in_any_order(
    make_world: Callable[..., World], rounds: ForkedRounds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, tally = count(), Counter[str]()
    people = simulated_annotators((world := make_world([])).client, world.dataset, 2)

    def make() -> AnyOrder:
        world = make_world([]).shrink()
        (folder := tmp_path / f"example-{next(number)}").mkdir()
        return AnyOrder(world, People(world, [world.client, *people]), rounds, folder, tally)

    monkeypatch.setattr(Happenings, "make", staticmethod(make), raising=False)
    run_state_machine_as_test(
        Happenings,
        settings=settings(
            max_examples=200 if LONG else 20,
            stateful_step_count=12 if LONG else 6,
            deadline=None,
            database=None,
            derandomize=not LONG,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(f"{next(number)} orders: {dict(tally)}")
    assert tally.keys() >= HAPPENED
