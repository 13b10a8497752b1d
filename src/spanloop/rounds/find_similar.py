"""Records get their embedding in Argilla, so that annotators find similar ones: once for a text and an encoder."""

import logging
from collections.abc import Iterator
from pathlib import Path

from spanloop.argilla.client import ArgillaClient
from spanloop.argilla.dataset import DatasetRef
from spanloop.argilla.embeddings import ensure_vectors, write_vectors
from spanloop.durable import told_as_store_errors
from spanloop.records import Record
from spanloop.rounds.holding import refuse_if_taken
from spanloop.rounds.ordering import embeddings_of, encoder_key
from spanloop.rounds.scorebook import text_key
from spanloop.rounds.work import SCORES, Work
from spanloop.scoring.embedding import DIMENSIONS, Halves
from spanloop.store.jsonl import read_records

log = logging.getLogger(__name__)


def share_embeddings(work: Work, client: ArgillaClient, dataset: DatasetRef) -> int:
    """Give every record of the dataset its embedding that has none of this text and encoder.

    Args:
        work: The round's work, with the records.
        client: Talks to Argilla.
        dataset: Where the records lie.

    Returns:
        How many were given one.

    Raises:
        StoreError: Another round began or another store took the dataset meanwhile, or the list of what is written
            cannot be kept.
    """
    settings = ensure_vectors(client, dataset, DIMENSIONS)
    sent = _Sent(work.store.work(SCORES) / f"sent-{settings}-{encoder_key(work.config)}.txt")
    waiting = {r.id: r for r in read_records(work.records) if _key(r) not in sent}
    vector = embeddings_of([*waiting.values()], work.config, work.store.work(SCORES)) if waiting else None

    def rows() -> Iterator[tuple[str, Halves]]:
        for record in waiting.values():
            if vector and (found := vector(record.text)) is not None:
                yield record.id, found

    def keep(names: list[str]) -> None:
        sent.add([_key(waiting[name]) for name in names])
        work.store.refuse_if_superseded()
        refuse_if_taken(work.store, client, dataset)

    before = len(sent)
    write_vectors(client, dataset, rows(), keep)
    log.info("log: %d records were given their embedding, %d had it", len(sent) - before, before)
    return len(sent) - before


def _key(record: Record) -> str:
    """A record of Argilla with this text."""
    return f"{record.server_id} {text_key(record.text)}"


class _Sent:
    """What was written, a line each, under one name and one encoder. Lost, it is only written again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._keys = set(path.read_text(encoding="utf-8").splitlines()) if path.exists() else set[str]()

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def add(self, keys: list[str]) -> None:
        with told_as_store_errors("keep what is written", self._path), self._path.open("a", encoding="utf-8") as file:
            file.writelines(f"{key}\n" for key in keys)
        self._keys.update(keys)
