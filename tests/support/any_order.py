"""A project and the stores that work on it: rounds, kills, rollbacks, backups, and what must hold after each."""

from collections import Counter
from pathlib import Path
from typing import Any

from expected import Memory
from forked_rounds import ForkedRounds
from people import People
from project import OWNER, STRANGER, Project, has_place, in_task
from world import World

from spanloop.annotations.resolve import latest
from spanloop.argilla.dataset import in_labels
from spanloop.argilla.sending import IMPORT_AGENT
from spanloop.records import Record, Span
from spanloop.rounds.grouping import known_dealing
from spanloop.rounds.holding import take_over
from spanloop.rounds.work import now
from spanloop.services.backup import back_up, restore

OTHERS = (STRANGER, IMPORT_AGENT)
BEFORE_THE_LEASE = ("before:pull", "middle:bind")


class AnyOrder(Project):
    """One project, its people, and the stores that work on it, which are named by any number, too.

    Args:
        world: A loop without records.
        people: Who answers.
        rounds: Runs the rounds.
        folder: Where stores and backups lie.
        tally: Counts how rounds end.
    """

    def __init__(self, world: World, people: People, rounds: ForkedRounds, folder: Path, tally: "Counter[str]") -> None:
        super().__init__(world, people)
        self._rounds, self._folder, self._tally = rounds, folder, tally
        self._memories = {world.store.root: Memory()}
        self._leases = dict[str, int]()  # the last that Argilla has of each dataset
        self._backup: tuple[Path, Memory] | None = None

    @property
    def memory(self) -> Memory:
        """What is expected of the store at work."""
        return self._memories[self.world.store.root]

    @property
    def lease(self) -> int:
        """The number of the last lease of the dataset; 0: none was taken yet."""
        return self._leases.get(self.world.dataset.id, 0)

    @property
    def ours(self) -> bool:
        """Do the dataset and the store at work belong to each other, or to none yet?"""
        return self.memory.dataset in ("", self.world.dataset.id) and self.lease in {0, *self.memory.leases}

    def round(self, then: str) -> None:
        """What comes then: `no round`, a `round`, or one that is killed at a point if it gets there.

        It is refused if store and dataset do not belong to each other by now.
        """
        if then == "no round":
            return
        ours, before = self.ours, self._state()
        ended = self._rounds.run(self.world.config, "" if then == "round" else then)
        self._tally[ended.report["outcome"] if ended.report else "refused" if ended.refused else "killed"] += 1
        if ours:
            assert not ended.refused, ended.refused
            if then != "before:pull":
                self.memory.dataset = self.world.dataset.id
            if then not in BEFORE_THE_LEASE:
                self._take_lease()
        elif then != "before:pull":
            assert "'spanloop adopt'" in ended.refused, ended
            assert self._state() == before
        if ended.report:
            self._check_settled(ended.report)

    def adopt(self, pick: int) -> bool:
        """The store at work takes the dataset over; another one, where the dataset is its own."""
        if self.ours:
            self.change_store(pick)
        store, ours = self.world.store, self.ours
        with store.lock("adopt"):
            before = take_over(store, self.world.client, self.world.dataset, now())
        assert (before == "") == (ours and self.lease != 0)
        if before:
            self.memory.dataset = self.world.dataset.id
            self._take_lease()
        return not ours

    def roll_back(self, count: int, ended: str) -> bool:
        """Rounds end like that, some after the gate; somebody takes the champion out, and a round goes on."""
        store = self.world.store
        for _ in range(2):
            if self.answer_in_turn(count, OWNER):
                self.round(ended)
            if store.previous_champion():
                self.memory.vetoed.add(str(store.champion()))
                with store.lock("rollback"):  # this process held the store before; a zombie of then publishes nothing
                    store.roll_back()
                self.round("round")
                return True
        return False

    def back_up(self) -> bool:
        """The store at work is backed up, after a round where there was none."""
        store, target = self.world.store, self._folder / f"backup-{len(list(self._folder.iterdir()))}"
        if not store.names("rounds"):
            self.round("round")
        if not store.names("rounds"):
            return False
        back_up(store, self._folder / "no-argilla", target)
        self._backup = target, self.memory.copy()
        return True

    def restore(self) -> bool:
        """The last backup goes on somewhere else."""
        if not self._backup and not self.back_up():
            return False
        folder, memory = self._backup
        self._go_on_with(self._new_store())
        restore(folder, self.world.store, self._folder / "no-argilla")
        self._memories[self.world.store.root] = memory.copy()
        return True

    def change_store(self, pick: int) -> bool:
        """A store of before goes on, or a new one."""
        roots = [root for root in [*self._memories, self._new_store()] if root != self.world.store.root]
        self._go_on_with(roots[pick % len(roots)])
        self._memories.setdefault(self.world.store.root, Memory())
        return True

    def check(self) -> None:
        """What must hold at any time."""
        super().check()
        self.memory.check(self.world.store, self.world.config)

    def _check_settled(self, report: dict[str, Any]) -> None:
        """What a round that ended leaves: figures of what people said, and a queue of the model in service alone."""
        store, config, records = self.world.store, self.world.config, self.world.records()
        assert report["champion"] == store.champion()
        if report["figures"]:
            self.memory.check_figures(store, report["figures"], self._gold(records))
        dealing, idle = known_dealing(store, config.splits), report["outcome"] == "nothing new"
        waiting = [record for record in records.values() if record.waits]
        assert [record.id for record in waiting if not has_place(record)] == [], report
        self.ordered = {record.id for record in waiting}
        self.planted = self.planted if idle else set()
        meanings = in_labels(self.world.dataset, config.task).meanings
        for record in waiting:
            agent, spans = (record.suggestion.agent, record.suggestion.spans) if record.suggestion else (None, ())
            if record.id in self.planted and agent in OTHERS:
                continue
            assert all(meanings.label_of(x.label) and meanings.is_current(x.label) for x in spans), record.suggestion
            if config.is_blind(dealing.group_of(record.id, record.group), dealing):
                assert agent is None, (record.id, agent, report)
            elif store.champion():
                assert agent == store.champion(), (record.id, agent, report)
            else:
                assert agent not in store.names("models"), (record.id, agent, report)

    def _gold(self, records: dict[str, Record]) -> dict[str, set[Span]]:
        """What people said last of each record, in the labels of the project."""
        return {
            record.id: set(in_task(latest(record).spans, self.world.config))
            for record in records.values()
            if record.submitted
        }

    def _state(self) -> Any:
        return self.world.state(), self.world.store.champion(), self.world.store.names("rounds")

    def _take_lease(self) -> None:
        taken = self._leases[self.world.dataset.id] = 1 + sum(self._leases.values())
        self.memory.leases.add(taken)

    def _new_store(self) -> Path:
        return self._folder / f"store-{len(self._memories)}"

    def _go_on_with(self, root: Path) -> None:
        self.world.config.store = str(root)
