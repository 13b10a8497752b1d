"""What must hold of one store at any time, and what a round of it must say, whatever happened before."""

from dataclasses import dataclass, field
from typing import Any

from spanloop.config import LoopConfig
from spanloop.records import SPLITS, Example, Span, Split
from spanloop.scoring import Scorer
from spanloop.snapshot import read_examples
from spanloop.store import Store

Snapshot = dict[Split, list[Example]]


@dataclass
class Memory:
    """What is expected of one store.

    Attributes:
        dataset: The dataset that it belongs to, by Argilla's id; empty while there is none.
        leases: Numbers of the leases that it knows.
        dealt: The split of each record that it has dealt.
        vetoed: Models that somebody took out of service.
        loaded: Models that were loaded already.
        read: Snapshots that were read already.
    """

    dataset: str = ""
    leases: set[int] = field(default_factory=set)
    dealt: dict[str, Split] = field(default_factory=dict)
    vetoed: set[str] = field(default_factory=set)
    loaded: set[str] = field(default_factory=set)
    read: dict[str, Snapshot] = field(default_factory=dict)

    def copy(self) -> "Memory":
        """What is expected of a copy of the store as it is now; what was seen of the one says nothing of the other."""
        return Memory(self.dataset, set(self.leases), dict(self.dealt), set(self.vetoed))

    def check(self, store: Store, config: LoopConfig) -> None:
        """What must hold at any time."""
        self._check_splits(store, config)
        self._check_champion(store, config)

    def check_figures(self, store: Store, figures: dict[str, Any], gold: dict[str, set[Span]]) -> None:
        """The snapshot of a round holds what people said, and its models are judged on the test split of it alone.

        Args:
            store: The store.
            figures: The sections of the round.
            gold: What people said last of each record.
        """
        if not (version := figures["snapshot"]["version"]):
            assert not gold
            return
        splits = self._snapshot(store, version)
        assert {example.id: set(example.spans) for split in SPLITS for example in splits[split]} == gold, version
        test = splits["test"]
        for role in ("champion", "challenger"):
            if said := figures["evaluate"][role]:
                judged_on = said["n_records"], said["n_spans"]
                assert judged_on == (len(test), sum(len(example.spans) for example in test)), (role, said)

    def _check_splits(self, store: Store, config: LoopConfig) -> None:
        dealing = store.groups.read(config.splits)
        dealt = {record: dealing.splits[group] for record, group in dealing.groups.items()}
        assert {name: dealt.get(name) for name in self.dealt} == self.dealt, "a split moved"
        self.dealt |= dealt
        read = [
            {split: {example.id for example in examples} for split, examples in self._snapshot(store, name).items()}
            for name in store.names("snapshots")
        ]
        learnt = {name for splits in read for split in ("train", "validation") for name in splits[split]}
        assert learnt.isdisjoint({name for splits in read for name in splits["test"]}), "F1 on what was learnt"
        assert all(self.dealt[name] == split for splits in read for split in SPLITS for name in splits[split])

    def _snapshot(self, store: Store, name: str) -> Snapshot:
        if name not in self.read:
            folder = store.path("snapshots", name)
            self.read[name] = {split: list(read_examples(folder, split)) for split in SPLITS}
        return self.read[name]

    def _check_champion(self, store: Store, config: LoopConfig) -> None:
        if champion := store.champion():
            store.verify("models", champion)
            if champion not in self.loaded:
                Scorer.load(store.path("models", champion), config.scoring)
                self.loaded.add(champion)
        assert champion not in self.vetoed
