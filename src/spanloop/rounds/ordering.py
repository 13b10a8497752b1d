"""From pending records and what is known of them to the annotators' queue: for a round, and for a rehearsal of one."""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypedDict

from spanloop.config import LoopConfig, Splits
from spanloop.durable import files_below
from spanloop.errors import TrainingError
from spanloop.records import Annotation, Record
from spanloop.rounds.identity import digest
from spanloop.rounds.progress import counted, log_scoring
from spanloop.rounds.vectorbook import VectorBook
from spanloop.scoring.embedding import Halves
from spanloop.selection import Annotated, Pending, prioritise, uncertainties, wants_embeddings

log = logging.getLogger(__name__)


class Queue(TypedDict):
    """The annotators' queue, by record id.

    Attributes:
        priority: In 0..1, higher is sooner.
        uncertainty: The model's doubt, of the records that it scored.
    """

    priority: dict[str, float]
    uncertainty: dict[str, float]


def put_in_order(
    pending: Sequence[Pending],
    config: LoopConfig,
    dealing: Splits | None = None,
    *,
    annotated: Iterable[Annotation] = (),
    cache: Path | None = None,
) -> Queue:
    """Give every pending record its place.

    Args:
        pending: Records that nobody has answered, with the statistics of those that the model in service scored.
        config: Strategy, steps, held-out share, splits; the encoder, where records are compared by their embeddings.
        dealing: Knows the groups that were dealt before; None: none were.
        annotated: What is annotated already.
        cache: A folder that keeps embeddings; None: they are made for this time only.

    Returns:
        The queue; the same for the same records, configuration and seed, in whatever order the records come.

    Raises:
        ConfigError: The strategy needs statistics that the scoring pass did not make, or returned no values.
        StoreError: The cache cannot be written.
    """
    done = [Annotated(a.record_id, a.group, a.text, a.spans) for a in annotated]
    if wants_embeddings(config.selection, scored=any(record.statistics for record in pending)):
        vector = embeddings_of([*pending, *done], config, cache)
        pending = [replace(record, embedding=vector(record.text)) for record in pending]
        done = [replace(record, embedding=vector(record.text)) for record in done]
    known = config.selection, dealing or config.splits
    return Queue(
        priority=prioritise(pending, *known, annotated=done), uncertainty=uncertainties(pending, *known, annotated=done)
    )


def embeddings_of(
    records: Sequence[Pending | Annotated | Record], config: LoopConfig, cache: Path | None
) -> Callable[[str], Halves | None]:
    """Embed the texts of records.

    Args:
        records: The records.
        config: Names the encoder.
        cache: See `put_in_order`.

    Returns:
        From a text to its embedding; to None where the encoder cannot be had: words tell texts apart then.

    Raises:
        StoreError: The cache cannot be written.
    """
    book = VectorBook(cache / f"embeddings-{encoder_key(config)}.f16" if cache else None)
    if texts := list(dict.fromkeys(record.text for record in records if book.get(record.text) is None)):
        from spanloop.scoring import embed

        made = embed(zip(texts, texts, strict=True), config.training, config.scoring)
        try:
            book.add(counted(made, len(texts), log_scoring(None, "embed")))
        except TrainingError as error:
            log.warning("prioritise: %s; texts are compared by their words", error)
            return lambda _: None
    return book.get


def encoder_key(config: LoopConfig) -> str:
    """What decides about embeddings; of a folder, also when its files were last changed."""
    training = config.training
    folder = Path(training.model_name_or_path)
    stamps = [[path.name, path.stat().st_mtime_ns] for path in files_below(folder)] if folder.is_dir() else []
    return digest([training.model_name_or_path, training.max_length, training.stride, stamps])
