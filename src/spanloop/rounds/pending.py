"""The last steps of a round: pending records get suggestions and a place in the queue."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from spanloop.argilla.client import ArgillaClient
from spanloop.argilla.dataset import find_dataset
from spanloop.argilla.writing import Scored, write_suggestions
from spanloop.errors import StoreError
from spanloop.records import Record, Suggestion
from spanloop.rounds.identity import digest
from spanloop.rounds.inputs import Pulled
from spanloop.rounds.progress import telling_scoring
from spanloop.rounds.scorebook import Score, ScoreBook
from spanloop.rounds.work import SCORES, Work, step
from spanloop.selection import Pending, prioritise, uncertainties
from spanloop.store import number_of
from spanloop.store.jsonl import read_json, read_records, write_json

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Scores:
    """Who scored, and where the scores are.

    Attributes:
        model: The model in service; None without one.
        path: Its score book.
    """

    model: str | None = None
    path: Path | None = None

    def book(self) -> ScoreBook | None:
        """The scores; None without a model."""
        return ScoreBook(self.path) if self.path else None


@step("score")
def score_pending(work: Work, pulled: Pulled, champion: str | None, progress: Progress | None = None) -> Scores:
    """Score every pending record that the champion has not scored yet.

    Args:
        work: The round's work.
        pulled: The records.
        champion: The model in service; None scores nothing.
        progress: Called with records scored and records to score.

    Returns:
        Where the champion's scores are.
    """
    if champion is None:
        log.info("score: no model in service yet, the queue is random")
        return Scores()
    config = work.config.scoring
    key = digest([config.model_dump(exclude={"max_records", "max_tokens_per_batch"})])
    book = ScoreBook(work.store.work(SCORES) / f"{champion}-{key}.jsonl")
    waiting = [r for r in _pending(pulled) if book.get(r.id, r.text) is None][: config.max_records or None]
    kept = len(book)
    if waiting:
        book.add(_counted(_scored(work, champion, waiting), len(waiting), telling_scoring(progress)))
    work.note("score", model=champion, scored=len(waiting))
    log.info("score: %d records by %s, %d scored before", len(waiting), champion, kept)
    return Scores(champion, book.path)


def _pending(pulled: Pulled) -> Iterator[Record]:
    """Records that nobody has answered in any way."""
    return (record for record in read_records(pulled.path) if not record.responses and record.status == "pending")


def _scored(work: Work, champion: str, records: list[Record]) -> Iterator[tuple[str, str, Score]]:
    from spanloop.scoring import Scorer

    scorer = Scorer.load(work.store.path("models", champion), work.config.scoring)
    texts = {record.id: record.text for record in records}
    for scored in scorer.score(texts.items()):
        yield scored.id, texts[scored.id], Score(tuple(scored.spans), scored.statistics)


def _counted(
    scores: Iterable[tuple[str, str, Score]], total: int, progress: Progress
) -> Iterator[tuple[str, str, Score]]:
    for done, score in enumerate(scores, start=1):
        yield score
        progress(done, total)


@step("prioritise")
def prioritise_pending(work: Work, pulled: Pulled, scores: Scores) -> Path:
    """Give every pending record its place in the annotators' queue.

    Args:
        work: The round's work.
        pulled: The records.
        scores: The scores of the model in service, if there is one.

    Returns:
        A JSON file: `priority` (0..1, higher is sooner) and `uncertainty` by record id.
    """
    config = work.config.selection
    pending = [
        Pending(id=record.id, group=record.group, text=record.text, statistics=score.statistics if score else None)
        for record, score in _with_scores(pulled, scores)
    ]
    priorities = prioritise(pending, config, work.config.splits)
    strategy = config.strategy if scores.model else "random"
    work.note("prioritise", strategy=strategy)
    log.info("prioritise: %d records by %s", len(priorities), strategy)
    doubts = uncertainties(pending, config)
    return write_json(work.file("queue.json"), {"priority": priorities, "uncertainty": doubts})


def _with_scores(pulled: Pulled, scores: Scores) -> Iterator[tuple[Record, Score | None]]:
    book = scores.book()
    return ((record, book.get(record.id, record.text) if book else None) for record in _pending(pulled))


@step("log")
def log_suggestions(work: Work, pulled: Pulled, scores: Scores, queue: Path, client: ArgillaClient) -> None:
    """Write suggestions, priorities and uncertainties to Argilla, to records that still nobody has answered.

    Args:
        work: The round's work.
        pulled: The records.
        scores: The scores of the model in service.
        queue: What `prioritise_pending` made.
        client: Talks to Argilla.

    Raises:
        StoreError: Another model went into service or another round began meanwhile; that one writes, not this one.
    """
    if (now := work.store.champion()) != scores.model:
        raise StoreError(f"{now} went into service while {work.name} scored with {scores.model}; run again")
    dataset, places = find_dataset(client, work.config), read_json(queue)
    items = (
        Scored(
            record.id,
            Suggestion(score.spans, str(scores.model)) if score else None,
            places["priority"][record.id],
            places["uncertainty"].get(record.id),
        )
        for record, score in _with_scores(pulled, scores)
    )
    work.store.refuse_if_superseded()
    report = write_suggestions(
        client,
        dataset,
        items,
        retired=_retired(work, scores.model),
        progress=lambda _: work.store.refuse_if_superseded(),
    )
    written = asdict(report)
    work.note("log", **written)
    log.info("log: %s", ", ".join(f"{name} {count}" for name, count in written.items() if count) or "nothing")


def _retired(work: Work, champion: str | None) -> list[str]:
    """Versions newer than the champion: rejected, or rolled back; suggestions of theirs give way."""
    models = work.store.names("models")
    return [name for name in models if champion and number_of(name) > number_of(champion)]
