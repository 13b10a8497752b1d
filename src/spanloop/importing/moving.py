"""Move a project to a new dataset that has an option for each of its labels, and see that nothing was lost on the way.

The old dataset is only read and the new one only added to: a move that was killed goes on when it is made again, and
whoever annotates in either meanwhile loses nothing.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from spanloop.annotations.resolve import resolve
from spanloop.argilla.client import ArgillaClient
from spanloop.argilla.convert import to_record
from spanloop.argilla.copying import Copying, copy_parts
from spanloop.argilla.dataset import dataset_as_it_is, find_dataset
from spanloop.argilla.meanings import Differences, meanings_of
from spanloop.argilla.pull import pull_items
from spanloop.config import LoopConfig
from spanloop.errors import ArgillaError, ConfigError
from spanloop.records import Record, Span

_NAMED = 5

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Moved:
    """What a move came to, seen in the new dataset after it.

    Attributes:
        records: Records in the old dataset, all of them in the new one.
        created: Those that this run created.
        responses: Responses to them, of all people and in every state.
        spans: Spans in these.
        left_out: Spans that the mapping leaves out, by option.
    """

    records: int
    created: int
    responses: int
    spans: int
    left_out: dict[str, int]


def move_dataset(
    client: ArgillaClient, config: LoopConfig, name: str, progress: Callable[[int], None] | None = None
) -> Moved:
    """Copy the dataset of the configuration to a new one with the labels of the configuration.

    Args:
        client: The connection of an owner: only owners may create the responses of others.
        config: Names the old dataset and its workspace, the labels, and what the old ones mean.
        name: The new dataset; one that an earlier run began is completed.
        progress: Told the number of records dealt with, after each bulk.

    Raises:
        ConfigError: The names are the same.
        LabelError: The configuration does not say what an option of the old dataset means; nothing was made.
        ArgillaError: The dataset of that name holds something else, or the copy is not what it should be; says how.
    """
    if name.strip() == config.argilla.dataset.strip():
        raise ConfigError(f"{name!r} is the dataset that is to be moved; give the new one another name")
    source = dataset_as_it_is(client, config)
    meanings, differences = meanings_of(source.labels, config.task)
    Differences(options=differences.options).refuse(source.name)
    copy_parts(client, source, name, config.task)
    moved = config.model_copy(update={"argilla": config.argilla.model_copy(update={"dataset": name})})
    copying = Copying.between(client, source, find_dataset(client, moved), meanings)
    _refuse_strangers(client, copying)
    created = copying.records(progress)
    return _checked(copying, config, created)


def _refuse_strangers(client: ArgillaClient, copying: Copying) -> None:
    """Stop before records of two datasets are mixed."""
    ids, known = ({_name(x) for x in pull_items(client, dataset)} for dataset in (copying.target, copying.source))
    if strange := sorted(ids - known):
        raise ArgillaError(
            f"dataset {copying.target.name!r} holds {len(strange)} records that {copying.source.name!r} does not have "
            f"({_some(strange)}); nothing was moved, choose a name that is free"
        )


def _checked(copying: Copying, config: LoopConfig, created: int) -> Moved:
    """Compare the copy with what it should be, record by record, and what the responses of both amount to."""
    there = {item["external_id"]: item for item in copying.present()}
    mapped = replace(copying.source, meanings=copying.meanings)
    differing, responses, old, new = list[str](), 0, list[Record](), list[Record]()
    for item in pull_items(copying.client, copying.source):
        wanted, found = copying.copy_of(item), there.get(_name(item))
        responses += len(wanted["responses"])
        old.append(to_record(item, mapped))
        if found is None or not _holds(found, wanted):
            differing.append(_name(item))
    new = [to_record(item, copying.target) for item in pull_items(copying.client, copying.target)]
    annotated = _resolved(new, config)
    differing += [name for name, spans in _resolved(old, config).items() if annotated.get(name) != spans]
    if differing:
        raise ArgillaError(
            f"{len(set(differing))} records of {copying.target.name!r} are not what {copying.source.name!r} has "
            f"({_some(sorted(set(differing)))}): somebody changed them in one of the two since they were copied; "
            "answer them in the new one as well, or move to another new name"
        )
    return Moved(len(old), created, responses, sum(len(r.spans) for x in old for r in x.responses), _left_out(old))


def _holds(there: Json, wanted: Json) -> bool:
    """Whether the copy of a record has all that it should have; responses that came since are welcome."""
    copied = _answers(there)
    same = all(copied.get(key) == values for key, values in _answers(wanted).items())
    return same and there["fields"] == wanted["fields"]


def _answers(item: Json) -> dict[tuple[str, str], Any]:
    """What each user answered, and in which state."""
    return {(str(x["user_id"]), x["status"]): x["values"] for x in item["responses"]}


def _resolved(records: Iterable[Record], config: LoopConfig) -> dict[str, tuple[Span, ...]]:
    overlapping = config.task.allow_overlapping
    resolution = resolve((r for r in records if r.submitted), config.annotations, allow_overlapping=overlapping)
    return {annotation.record_id: annotation.spans for annotation in resolution.annotations}


def _left_out(records: Iterable[Record]) -> dict[str, int]:
    pairs = (pair for record in records for response in record.responses for pair in response.relabelled)
    return dict(Counter(span.label for span, label in pairs if not label))


def _name(item: Json) -> str:
    return str(item["external_id"] or item["id"])


def _some(ids: list[str]) -> str:
    return ", ".join(ids[:_NAMED]) + ", …" * (len(ids) > _NAMED)
