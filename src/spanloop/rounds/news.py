"""Is there anything to do? Decided from counts and hashes, without torch, datasets or Prefect."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spanloop.config import LoopConfig
from spanloop.records import Annotation
from spanloop.rounds.identity import changed_setting, fingerprints, settings_of
from spanloop.rounds.work import begun, last_round
from spanloop.store import Store
from spanloop.store.jsonl import read_json


@dataclass(frozen=True, slots=True)
class News:
    """Whether a round has anything to do, and why.

    Attributes:
        anything: False when a round would change nothing.
        reason: In words, with numbers.
    """

    anything: bool
    reason: str


def find_news(store: Store, config: LoopConfig, annotations: list[Annotation], records: int) -> News:
    """Compare what is there now with what the last round saw.

    Args:
        store: The store.
        config: The configuration now.
        annotations: Everything annotated now.
        records: Records in Argilla now.

    Returns:
        The first piece of news, or that there is none.
    """
    last = last_round(store)
    if last is None:
        return News(True, f"the first round: {len(annotations)} of {records} records are annotated")
    name = last["round"]
    if _interrupted(store):
        return News(True, f"{store.next_name('rounds')} was interrupted; it goes on")
    if setting := changed_setting(last["inputs"]["settings"], settings_of(config)):
        return News(True, f"{setting} was changed since {name}")
    if (champion := store.champion()) != last["champion"]:
        return News(True, f"the champion is {champion or 'none'}; it was {last['champion'] or 'none'} after {name}")
    if records != last["inputs"]["records"]:
        return News(True, f"{records} records, {last['inputs']['records']} in {name}")
    return _annotated_since(store, name, annotations, config.round.min_new)


def _annotated_since(store: Store, name: str, annotations: list[Annotation], needed: int) -> News:
    changed = len(changed_since(store, name, annotations))
    if changed >= needed:
        return News(True, f"{changed} records annotated or changed since {name}")
    if changed:
        return News(False, f"nothing new since {name}: {changed} records annotated or changed, {needed} needed")
    return News(False, f"nothing new since {name}: {len(annotations)} records are annotated")


def changed_since(store: Store, name: str, annotations: list[Annotation]) -> set[str]:
    """Ids of the records that were annotated, changed or withdrawn since a round.

    Args:
        store: The store.
        name: The round to compare with.
        annotations: Everything annotated now.

    Returns:
        Record ids.
    """
    before: Mapping[str, str] = read_json(store.path("rounds", name) / "annotations.json") or {}
    now = fingerprints(annotations)
    return {record_id for record_id in before.keys() | now.keys() if before.get(record_id) != now.get(record_id)}


def _interrupted(store: Store) -> bool:
    return begun(store, store.next_name("rounds")) is not None


def judged_before(store: Store, snapshot: str, training: str) -> str | None:
    """The round that already judged a model of the same snapshot, training and gate; None if none did.

    A model that was judged is not judged again: a champion that was rolled back by hand stays rolled back.

    Args:
        store: The store.
        snapshot: The snapshot's version.
        training: Hash of the training and gate settings.

    Returns:
        The round's name.
    """
    for name in reversed(store.names("rounds")):
        past: dict[str, Any] = read_json(store.path("rounds", name) / "round.json") or {}
        if past.get("challenger") and past["inputs"]["training"] == training and past["snapshot"] == snapshot:
            return name
    return None
