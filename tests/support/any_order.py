"""Whatever people, rounds and disks do to one loop, one thing after the other, and what must hold after each."""

from collections import Counter
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from forked_rounds import ForkedRounds
from people import People, answers_in
from sentences import Sentence, sentences
from world import World

from spanloop.argilla.offsets import to_field
from spanloop.argilla.sending import IMPORT_AGENT
from spanloop.importing import AnnotationsAs
from spanloop.importing.upload import import_records
from spanloop.records import SPLITS, Record, ResponseStatus, Split
from spanloop.rounds.grouping import known_dealing
from spanloop.rounds.holding import take_over
from spanloop.rounds.work import now
from spanloop.scoring import Scorer
from spanloop.services.backup import back_up, restore
from spanloop.snapshot import read_examples
from spanloop.store import Store

STRANGER = "gpt-4o"
OTHERS = (STRANGER, IMPORT_AGENT)
# What is imported, some lines at a time: documents of two records, which metadata alone tells of.
FILE = [replace(line, group=f"text{i // 2}") for i, line in enumerate(sentences(60, seed=1))]
BEFORE_THE_LEASE = ("before:pull", "middle:bind")


@dataclass
class Memory:
    """What is expected of one store.

    Attributes:
        leases: Numbers of the leases that it knows.
        dealt: The split of each record that it has dealt.
        vetoed: Models that somebody took out of service.
    """

    leases: set[int] = field(default_factory=set)
    dealt: dict[str, Split] = field(default_factory=dict)
    vetoed: set[str] = field(default_factory=set)


class AnyOrder:
    """One dataset, its people, and the stores that work on it; each method is something that happens.

    Records, people and stores are named by any number: the remainder counts.

    Args:
        world: A loop without records.
        people: Who answers.
        rounds: Runs the rounds.
        folder: Where stores and backups lie.
        tally: Counts how rounds end, rollbacks and the like.
    """

    def __init__(self, world: World, people: People, rounds: ForkedRounds, folder: Path, tally: "Counter[str]") -> None:
        self._tally = tally
        self.world, self.people = world, people
        self._rounds, self._folder = rounds, folder
        self._texts: dict[str, str] = {}
        self._memories = {world.store.root: Memory()}
        self._lease = 0  # that Argilla has; 0: none yet
        self.backup: tuple[Path, Memory] | None = None
        self._ordered: set[str] = set()  # records that a round has given a priority
        self._planted: set[str] = set()  # records that may have somebody else's suggestion since the last round
        self._read: dict[tuple[Path, str], dict[Split, set[str]]] = {}
        self._loaded: set[tuple[Path, str]] = set()

    @property
    def memory(self) -> Memory:
        """What is expected of the store at work."""
        return self._memories[self.world.store.root]

    @property
    def ours(self) -> bool:
        """Does the dataset belong to the store at work, or to none yet?"""
        return self._lease in {0, *self.memory.leases}

    def import_lines(self, start: int, count: int, annotations: AnnotationsAs = "nothing") -> None:
        """Some lines of the file are imported, whether they were before or not."""
        lines: list[Sentence] = [FILE[(start + i) % len(FILE)] for i in range(count)]
        lines = list({line.id: line for line in lines}.values())
        import_records(self.world.client, self.world.dataset, lines, self.world.config, annotations=annotations)
        there = {line.id: line for line in lines if line.id not in self._texts}
        self.world.gold |= {name: line.spans or () for name, line in there.items()}
        self._texts |= {name: line.text for name, line in there.items()}
        if annotations == "suggestions":
            self._planted |= {line.id for line in lines}

    def answer(self, pick: int, who: int, status: ResponseStatus, *, right: bool) -> None:
        """Somebody answers a record for the first time, or anew."""
        if record := self._picked(pick):
            spans = self.world.gold[record.id]
            self.people.answer(record, who, status, spans if right else spans[:-1])

    def answer_in_turn(self, count: int, who: int) -> None:
        """Somebody works through records that wait."""
        waiting = sorted((r for r in self.world.records().values() if r.waits), key=lambda record: record.id)
        for record in waiting[:count]:
            self.people.answer(record, who, "submitted", self.world.gold[record.id])

    def take_back(self, pick: int) -> None:
        """Somebody deletes an answer."""
        if keys := sorted(self.people.answers, key=str):
            self.people.take_back(*keys[pick % len(keys)])

    def delete(self, pick: int) -> None:
        """A record is deleted."""
        if record := self._picked(pick):
            self.world.client.delete(f"records/{record.server_id}")
            self.people.forget(record.id)
            del self._texts[record.id]
            self._ordered.discard(record.id)
            self._planted.discard(record.id)

    def edit(self, pick: int, line: int) -> None:
        """The text of a record is replaced, if nobody has answered it."""
        if (record := self._picked(pick)) and record.waits:
            text, spans = FILE[line % len(FILE)].text, FILE[line % len(FILE)].spans
            self.world.client.patch(f"records/{record.server_id}", {"fields": {"text": to_field(text)}})
            self._texts[record.id], self.world.gold[record.id] = text, spans or ()

    def wipe(self, start: int, count: int) -> None:
        """A script logs records without metadata: that wipes what they had."""
        if records := list(filter(None, (self._picked(start + i) for i in range(count)))):
            items = [{"id": server_id, "metadata": {}} for server_id in {record.server_id for record in records}]
            self.world.client.put(f"datasets/{self.world.dataset.id}/records/bulk", {"items": items})
            self._ordered -= {record.id for record in records}

    def suggest(self, pick: int) -> None:
        """Another tool suggests something for a record."""
        if record := self._picked(pick):
            body = {"question_id": self.world.dataset.question_id, "value": [], "agent": STRANGER}
            self.world.client.put(f"records/{record.server_id}/suggestions", body)
            self._planted.add(record.id)

    def round(self, then: str) -> None:
        """What comes then: `no round`, a `round`, or one that is killed at a point if it gets there.

        It is refused if the dataset is another store's by now.
        """
        if then == "no round":
            return
        ours, before = self.ours, self._state()
        ended = self._rounds.run(self.world.config, "" if then == "round" else then)
        self._tally[ended.report["outcome"] if ended.report else "refused" if ended.refused else "killed"] += 1
        if ours:
            assert not ended.refused, ended.refused
            if then not in BEFORE_THE_LEASE:
                self._take_lease()
        elif then != "before:pull":
            assert "'spanloop adopt'" in ended.refused, ended
            assert self._state() == before
        if ended.report:
            self._check_settled(ended.report)

    def adopt(self) -> None:
        """The store at work takes the dataset over, if it is not its own."""
        store, ours = self.world.store, self.ours
        with store.lock("adopt"):
            before = take_over(store, self.world.client, self.world.dataset, now())
        assert (before == "") == (ours and self._lease != 0)
        if before:
            self._take_lease()
            self._tally["adopted"] += 1

    def roll_back(self) -> None:
        """Somebody takes the champion out of service."""
        store = self.world.store
        self.memory.vetoed.add(str(store.champion()))
        store.roll_back()
        self._tally["rolled back"] += 1

    def back_up(self) -> None:
        """The store at work is backed up."""
        store, target = self.world.store, self._folder / f"backup-{len(list(self._folder.iterdir()))}"
        back_up(store, self._folder / "no-argilla", target)
        self.backup = target, deepcopy(self.memory)

    def restore(self) -> None:
        """The last backup goes on somewhere else."""
        assert self.backup
        folder, memory = self.backup
        self._go_on_with(self._new_store())
        restore(folder, self.world.store, self._folder / "no-argilla")
        self._memories[self.world.store.root] = deepcopy(memory)
        self._tally["restored"] += 1

    def change_store(self, pick: int) -> None:
        """A store of before goes on, or a new one."""
        roots = [*self._memories, self._new_store()]
        self._go_on_with(roots[pick % len(roots)])
        self._memories.setdefault(self.world.store.root, Memory())

    def check(self) -> None:
        """What must hold at any time."""
        records = self.world.records()
        assert {record.id: record.text for record in records.values()} == self._texts
        assert answers_in(records) == self.people.answers, "somebody's answer was changed by others"
        assert [r.id for r in records.values() if r.id in self._ordered and r.waits and not _has_place(r)] == []
        self._check_splits()
        self._check_champion()

    def _check_splits(self) -> None:
        store, memory = self.world.store, self.memory
        dealing = store.groups.read(self.world.config.splits)
        dealt = {record: dealing.splits[group] for record, group in dealing.groups.items()}
        assert {name: dealt.get(name) for name in memory.dealt} == memory.dealt, "a split moved"
        memory.dealt |= dealt
        read = [self._splits_in(store, name) for name in store.names("snapshots")]
        learnt = {name for splits in read for split in ("train", "validation") for name in splits[split]}  # type: ignore[index]
        assert learnt.isdisjoint({name for splits in read for name in splits["test"]}), "F1 on what was learnt"
        assert all(memory.dealt[name] == split for splits in read for split in SPLITS for name in splits[split])

    def _splits_in(self, store: Store, snapshot: str) -> dict[Split, set[str]]:
        if (key := (store.root, snapshot)) not in self._read:
            folder = store.path("snapshots", snapshot)
            self._read[key] = {split: {example.id for example in read_examples(folder, split)} for split in SPLITS}
        return self._read[key]

    def _check_champion(self) -> None:
        store = self.world.store
        if champion := store.champion():
            store.verify("models", champion)
            if (store.root, champion) not in self._loaded:
                Scorer.load(store.path("models", champion), self.world.config.scoring)
                self._loaded.add((store.root, champion))
        assert champion not in self.memory.vetoed

    def _check_settled(self, report: dict[str, Any]) -> None:
        """What a round that ended leaves: an order of all that waits, and suggestions of the model in service alone."""
        store, config = self.world.store, self.world.config
        assert report["champion"] == store.champion()
        dealing, idle = known_dealing(store, config.splits), report["outcome"] == "nothing new"
        waiting = [record for record in self.world.records().values() if record.waits]
        assert [record.id for record in waiting if not _has_place(record)] == [], report
        self._ordered = {record.id for record in waiting}
        self._planted = self._planted if idle else set()
        for record in waiting:
            agent = record.suggestion.agent if record.suggestion else None
            if record.id in self._planted and agent in OTHERS:
                continue
            if config.is_blind(dealing.group_of(record.id, record.group), dealing):
                assert agent is None, (record.id, agent, report)
            elif store.champion():
                assert agent == store.champion(), (record.id, agent, report)
            else:
                assert agent not in store.names("models"), (record.id, agent, report)

    def _state(self) -> Any:
        return self.world.state(), self.world.store.champion(), self.world.store.names("rounds")

    def _take_lease(self) -> None:
        self._lease += 1
        self.memory.leases.add(self._lease)

    def _picked(self, pick: int) -> Record | None:
        records = sorted(self.world.records().values(), key=lambda record: record.id)
        return records[pick % len(records)] if records else None

    def _new_store(self) -> Path:
        return self._folder / f"store-{len(self._memories)}"

    def _go_on_with(self, root: Path) -> None:
        self.world.config.store = str(root)


def _has_place(record: Record) -> bool:
    return isinstance(record.metadata.get("priority"), float)
