"""A project's dataset and what people, scripts and other tools do to it, with what Argilla must say of it then."""

from collections.abc import Callable
from dataclasses import replace

from people import People, answers_in
from sentences import Sentence, sentences
from world import World

from spanloop.argilla.dataset import DatasetRef, dataset_as_it_is, in_labels
from spanloop.argilla.offsets import to_field
from spanloop.config import LoopConfig
from spanloop.importing import AnnotationsAs
from spanloop.importing.moving import move_dataset
from spanloop.importing.upload import import_records
from spanloop.records import Record, ResponseStatus, Span

STRANGER = "gpt-4o"
# What is imported, some lines at a time: documents of two records, which metadata alone tells of.
FILE = [replace(line, group=f"text{i // 2}") for i, line in enumerate(sentences(60, seed=1))]
OWNER = 0  # of the people: who imports
Spans = tuple[Span, ...]


class Project:
    """A project and its people.

    Each method is something that happens, and returns whether it could. Records and people are named by any number: the
    remainder counts.

    Args:
        world: A loop without records.
        people: Who answers.

    Attributes:
        ordered: Records that a round has given a priority.
        planted: Records that may have somebody else's suggestion since the last round.
    """

    def __init__(self, world: World, people: People) -> None:
        self.world, self.people = world, people
        self._texts: dict[str, str] = {}
        self._options = {label: label for label in world.dataset.labels}  # where the file's labels have gone
        self._moves = 0
        self.ordered: set[str] = set()
        self.planted: set[str] = set()

    def import_lines(self, start: int, count: int, annotations: AnnotationsAs, right: bool = True) -> bool:
        """Some lines of the file are imported, whether they were before or not; they may lack a span each."""
        dataset = in_labels(self.world.dataset, self.world.config.task)
        before, there = self.world.records() if annotations == "responses" else {}, dict(self._texts)
        lines = {line.id: self._of_today(line) for line in (FILE[(start + i) % len(FILE)] for i in range(count))}
        said = {name: line.spans or () if right else (line.spans or ())[:-1] for name, line in lines.items()}
        given = [replace(line, spans=said[name]) for name, line in lines.items()]
        import_records(self.world.client, dataset, given, self.world.config, annotations=annotations)
        submitted = dict[str, Spans]()
        for name, line in lines.items():
            if name not in there:
                self.world.gold[name], self._texts[name] = _marked(line.spans or (), dataset), line.text
            same = there.get(name, line.text) == line.text
            if annotations == "responses" and same and not (name in before and before[name].responses):
                submitted[name] = _marked(said[name], dataset)
        if submitted:
            self.people.note(OWNER, submitted)
        if annotations == "suggestions":
            self.planted |= lines.keys()
        return True

    def import_answers(self, start: int, count: int, right: bool) -> bool:
        """The same, as the owner's answers to what nobody has answered."""
        return self.import_lines(start, count, "responses", right)

    def answer(self, pick: int, who: int, status: ResponseStatus, right: bool) -> bool:
        """Somebody answers a record for the first time, or anew."""
        if record := self._picked(pick):
            spans = self.world.gold[record.id]
            self.people.answer(record, who, status, spans if right else spans[:-1])
        return record is not None

    def answer_in_turn(self, count: int, who: int) -> bool:
        """Somebody works through records that wait."""
        waiting = sorted((r for r in self.world.records().values() if r.waits), key=lambda record: record.id)
        for record in waiting[:count]:
            self.people.answer(record, who, "submitted", self.world.gold[record.id])
        return bool(waiting)

    def take_back(self, pick: int) -> bool:
        """Somebody deletes an answer."""
        if keys := sorted(self.people.answers, key=str):
            self.people.take_back(*keys[pick % len(keys)])
        return bool(keys)

    def delete(self, pick: int) -> bool:
        """A record is deleted."""
        if record := self._picked(pick):
            self.world.client.delete(f"records/{record.server_id}")
            self.people.forget(record.id)
            del self._texts[record.id]
            self.ordered.discard(record.id)
            self.planted.discard(record.id)
        return record is not None

    def edit(self, pick: int, line: int) -> bool:
        """The text of a record that nobody has answered is replaced."""
        if record := self._picked(pick, lambda record: record.waits):
            text, spans = FILE[line % len(FILE)].text, FILE[line % len(FILE)].spans or ()
            self.world.client.patch(f"records/{record.server_id}", {"fields": {"text": to_field(text)}})
            marked = ((span, self._options[span.label]) for span in spans)
            self.world.gold[record.id] = tuple(replace(span, label=option) for span, option in marked if option)
            self._texts[record.id] = text
        return record is not None

    def wipe(self, start: int, count: int) -> bool:
        """A script logs records without metadata: that wipes what they had."""
        if records := list(filter(None, (self._picked(start + i) for i in range(count)))):
            items = [{"id": server_id, "metadata": {}} for server_id in {record.server_id for record in records}]
            self.world.client.put(f"datasets/{self.world.dataset.id}/records/bulk", {"items": items})
            self.ordered -= {record.id for record in records}
        return bool(records)

    def suggest(self, pick: int) -> bool:
        """Another tool suggests something for a record."""
        if record := self._picked(pick):
            body = {"question_id": self.world.dataset.question_id, "value": [], "agent": STRANGER}
            self.world.client.put(f"records/{record.server_id}/suggestions", body)
            self.planted.add(record.id)
        return record is not None

    def relabel(self, change: str) -> bool:
        """Labels change under the options that are there: `rename`, `merge`, `leave out`, `order`, or as they were."""
        first, *rest = self.world.dataset.labels
        labels, mapping = {
            "rename": ([f"{first}s", *rest], {first: f"{first}s"}),
            "merge": (rest, {first: rest[0]}),
            "leave out": (rest, {first: ""}),
            "order": ([*rest, first], {}),
        }.get(change, ([first, *rest], {}))
        self._set_task(labels, mapping)
        return True

    def move(self) -> bool:
        """A label more comes, and with it the project moves to another dataset."""
        world, old = self.world, self.world.config.task
        self._moves += 1
        name = f"{world.dataset.name}-{self._moves}"
        self._set_task([*old.labels, f"label-{self._moves}"], old.mapping)
        move_dataset(world.client, world.config, name)
        world.config.argilla.dataset = name
        world.dataset = dataset_as_it_is(world.client, world.config)
        self._options = {label: old.meaning_of(option) or "" for label, option in self._options.items()}
        world.gold = {name: in_task(spans, world.config) for name, spans in world.gold.items()}
        self.people.expect_moved(lambda spans: in_task(spans, world.config))
        return True

    def deal_anew(self, seed: int) -> bool:
        """Somebody changes how records are dealt to the splits: those that were dealt stay where they are."""
        self.world.config.splits.seed = seed
        return True

    def check(self) -> None:
        """What must hold at any time."""
        records = self.world.records()
        assert {record.id: record.text for record in records.values()} == self._texts
        assert answers_in(records) == self.people.answers, "somebody's answer was changed by others"
        assert [r.id for r in records.values() if r.id in self.ordered and r.waits and not has_place(r)] == []

    def _of_today(self, line: Sentence) -> Sentence:
        """A line of the file in the labels of the project."""
        marked = tuple(replace(span, label=self._options[span.label]) for span in line.spans or ())
        return replace(line, spans=in_task(marked, self.world.config))

    def _set_task(self, labels: list[str], mapping: dict[str, str]) -> None:
        tree = self.world.config.model_dump()
        tree["task"] |= {"labels": labels, "mapping": mapping}
        self.world.config = LoopConfig.model_validate(tree)

    def _picked(self, pick: int, among: Callable[[Record], bool] = lambda record: True) -> Record | None:
        records = sorted(filter(among, self.world.records().values()), key=lambda record: record.id)
        return records[pick % len(records)] if records else None


def _marked(spans: Spans, dataset: DatasetRef) -> Spans:
    """Spans under labels of the project as spans under the options that stand for these."""
    return tuple(replace(span, label=dataset.meanings.option_of(span.label)) for span in spans)


def in_task(spans: Spans, config: LoopConfig) -> Spans:
    """Spans under options as spans under what these mean; those of none are left out."""
    meant = ((span, config.task.meaning_of(span.label)) for span in spans)
    return tuple(replace(span, label=label) for span, label in meant if label)


def has_place(record: Record) -> bool:
    """Has the record a place in the queue?"""
    return isinstance(record.metadata.get("priority"), float)
