"""One loop in the real Argilla: its configuration, its gold spans, and what can be asked about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from sentences import Sentence

from spanloop.argilla import ArgillaClient, DatasetRef, connect, ensure_dataset, pull
from spanloop.argilla.sending import submit_response
from spanloop.config import LoopConfig
from spanloop.importing.upload import import_records
from spanloop.records import Record, ResponseStatus, Span
from spanloop.rehearsal.annotator import SimulatedAnnotator, simulated_annotators
from spanloop.store import Store


@dataclass
class World:
    """A dataset, a store and a configuration."""

    config: LoopConfig
    client: ArgillaClient
    dataset: DatasetRef
    gold: dict[str, tuple[Span, ...]]

    @classmethod
    def create(cls, url: str, name: str, sentences: list[Sentence], store: Path, encoder: Path) -> Self:
        """Create the dataset and import the sentences, without their spans."""
        config = LoopConfig.model_validate(
            {
                "store": str(store),
                "argilla": {"api_url": url, "dataset": name, "workspace": "flows"},
                "task": {"labels": ["person", "place"]},
                "splits": {"validation": 0.2, "test": 0.3},
                "round": {"min_train": 10, "min_validation": 1, "min_test": 3},
                "training": {
                    "model_name_or_path": str(encoder),
                    "learning_rate": 2e-3,
                    "num_train_epochs": 12,
                    "min_steps": 60,
                    "max_length": 64,
                    "stride": 16,
                },
                "selection": {"held_out_share": 0.5},
            }
        )
        client = connect(config)
        world = cls(config, client, ensure_dataset(client, config), {})
        world.add(sentences)
        return world

    def add(self, sentences: list[Sentence]) -> None:
        """Import more sentences."""
        import_records(self.client, self.dataset, sentences, self.config)
        self.gold |= {s.id: s.spans or () for s in sentences}

    def shrink(self) -> Self:
        """Be content with a handful of records and a second's training; returns itself."""
        config = self.config
        config.round.min_train, config.round.min_validation, config.round.min_test = 4, 0, 1
        config.gate.margin, config.gate.max_risk = 0.5, 0.9  # whatever does better on a few records serves
        config.training.folds, config.training.num_train_epochs, config.training.min_steps = 0, 1, 25
        return self

    @property
    def store(self) -> Store:
        """The loop's store."""
        return Store(self.config.store)

    def annotate(self, count: int) -> int:
        """A simulated annotator works through the queue; returns how many records it submitted."""
        (client,) = simulated_annotators(self.client, self.dataset, 1)
        return SimulatedAnnotator(client, self.dataset, self.gold).annotate(count).submitted

    def answer(self, record: Record, status: ResponseStatus, spans: tuple[Span, ...] = ()) -> None:
        """Answer one record as the owner: `submitted`, `draft` or `discarded`."""
        submit_response(self.client, self.dataset, record, spans, status)

    def records(self) -> dict[str, Record]:
        """All records by id, as they are in Argilla now."""
        return {record.id: record for record in pull(self.client, self.dataset)}

    def pending(self) -> list[Record]:
        """Records that nobody has answered, highest priority first."""
        waiting = (record for record in self.records().values() if not record.responses)
        return sorted(waiting, key=lambda record: -float(str(record.metadata.get("priority", 0))))

    def waiting(self) -> tuple[list[Record], list[Record]]:
        """The pending records for training, and those that are held out."""
        split_of = self.config.splits.split_of
        training = [record for record in self.pending() if split_of(record.group) == "train"]
        return training, [record for record in self.pending() if split_of(record.group) != "train"]

    def state(self) -> Mapping[str, Any]:
        """What a round leaves in Argilla: suggestion, priority and model version of each record."""
        return {
            record.id: (
                record.suggestion and (record.suggestion.agent, record.suggestion.spans),
                record.metadata.get("priority"),
                record.metadata.get("model_version"),
            )
            for record in self.records().values()
        }


def run(world: World, **options: Any) -> Any:
    """One round of a loop, by the flow; its `RoundReport`."""
    from flows.active_learning import active_learning

    return active_learning(world.config, **options)
