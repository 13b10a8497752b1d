"""Which records wait for annotators, and with which text: what tells a new one and an edited one from those known."""

from collections.abc import Iterable, Iterator, Mapping

from pydantic import TypeAdapter

from spanloop.argilla.shape import PRIORITY
from spanloop.records import Record
from spanloop.rounds.scorebook import text_key
from spanloop.rounds.work import last_round
from spanloop.store import Store
from spanloop.store.contents import WAITING
from spanloop.store.jsonl import read_cache

Waiting = Mapping[str, str]
"""The key of the text of each record that waits, by record id."""
_WAITING = TypeAdapter(dict[str, str])


def waiting_before(store: Store) -> Waiting | None:
    """The records that waited in the last round; None before the first, and where that one does not say."""
    last = last_round(store)
    return read_cache(store.path("rounds", last.round) / WAITING, _WAITING) if last else None


def noting_waiting(records: Iterable[Record], waiting: dict[str, str]) -> Iterator[Record]:
    """The same records; those that wait are noted on the way."""
    for record in records:
        if record.waits:
            waiting[record.id] = text_key(record.text)
        yield record


def is_unordered(record: Record) -> bool:
    """Does a record wait without a place in the queue? A new one does, and one whose metadata somebody wiped."""
    return record.waits and PRIORITY not in record.metadata


def told_change(before: Waiting, now: Waiting) -> str:
    """What is new among the records that wait, in words; empty if nothing is. Those that left are no news."""
    edited = sum(record_id in before and before[record_id] != text for record_id, text in now.items())
    new = sum(record_id not in before for record_id in now)
    parts = [f"{new} new"] * bool(new) + [f"{edited} with another text"] * bool(edited)
    return " and ".join(parts)
