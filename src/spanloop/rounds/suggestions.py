"""The last steps of a round: pending records get suggestions and a place in the queue."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import asdict, fields

from spanloop.argilla.client import ArgillaClient
from spanloop.argilla.dataset import find_dataset
from spanloop.argilla.sending import IMPORT_AGENT
from spanloop.argilla.writing import Origin, Scored, write_suggestions
from spanloop.config import Splits, TaskConfig
from spanloop.errors import StoreError
from spanloop.records import Record, Statistics, Suggestion
from spanloop.rounds.figures import LogFigures, PrioritiseFigures, ScoreFigures
from spanloop.rounds.find_similar import share_embeddings
from spanloop.rounds.grouping import known_dealing
from spanloop.rounds.holding import refuse_if_taken
from spanloop.rounds.identity import digest
from spanloop.rounds.ordering import Queue, put_in_order
from spanloop.rounds.progress import counted, log_scoring
from spanloop.rounds.relabelling import in_words, relabel, relabel_doubt, relabellings
from spanloop.rounds.scorebook import Score, ScoreBook, text_key
from spanloop.rounds.waiting import waiting_before
from spanloop.rounds.work import SCORES, Work, step
from spanloop.selection import Pending
from spanloop.spans import likeliest
from spanloop.store.jsonl import read_annotations, read_json, read_records, write_json

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]


@step("score")
def score_pending(work: Work, champion: str | None, progress: Progress | None = None) -> ScoreFigures:
    """Score every pending record that the champion has not scored yet, except for those that people annotate blind.

    Args:
        work: The round's work, with the records.
        champion: The model in service; None scores nothing.
        progress: Called with records scored and records to score.

    Returns:
        Who scored how many; the scores are in the champion's score book.
    """
    if champion is None:
        log.info("score: no model in service yet")
        return ScoreFigures()
    book = _book(work, champion)
    new, known, blind, dealing = list[Record](), len(book), 0, known_dealing(work.store, work.config.splits)
    for record in _pending(work):
        if work.config.is_blind(record.group, dealing):
            blind += 1
        elif book.get(record.id, record.text) is None:
            new.append(record)
    waiting = new[: work.config.scoring.max_records or None]
    if waiting:
        book.add(counted(_scored(work, champion, waiting), len(waiting), log_scoring(progress)))
    log.info("score: %d records by %s, %d scored before, %d left blind", len(waiting), champion, known, blind)
    relabelled = relabellings(_labels_in(work, book, dealing), work.config.task)
    if relabelled:
        log.warning("score: labels of %s that the project does not have: %s", champion, in_words(relabelled))
    return ScoreFigures(model=champion, scored=len(waiting), known=known, blind=blind, relabelled=relabelled)


def _labels_in(work: Work, book: ScoreBook, dealing: Splits) -> Iterator[str]:
    """The label of each span that a model finds in pending records."""
    for record in _pending(work):
        if (score := book.get(record.id, record.text)) and not work.config.is_blind(record.group, dealing):
            yield from (span.label for span in score.spans)


def _book(work: Work, model: str) -> ScoreBook:
    """The scores of a model under the configuration of the round."""
    measures = [field.name for field in fields(Statistics)]  # a book of fewer is of no use to what needs the others
    key = digest([work.config.scoring.model_dump(exclude={"max_records", "max_tokens_per_batch"}), measures])
    return ScoreBook(work.store.work(SCORES) / f"{model}-{key}.jsonl")


def _pending(work: Work) -> Iterator[Record]:
    """Records that nobody has answered in any way."""
    return (record for record in read_records(work.records) if record.waits)


def _scored(work: Work, champion: str, records: list[Record]) -> Iterator[tuple[str, str, Score]]:
    from spanloop.scoring import Scorer

    scorer = Scorer.load(work.store.path("models", champion), work.config.scoring)
    texts = {record.id: record.text for record in records}
    for scored in scorer.score(texts.items()):
        yield scored.id, texts[scored.id], Score(tuple(scored.spans), scored.statistics)


@step("prioritise")
def prioritise_pending(work: Work, scored: ScoreFigures) -> PrioritiseFigures:
    """Give every pending record its place in the annotators' queue.

    Args:
        work: The round's work, with the records.
        scored: The model whose scores count, if there is one.

    Returns:
        How the queue was ordered.
    """
    config, dealing = work.config.selection, known_dealing(work.store, work.config.splits)
    pending = [
        Pending(id=record.id, group=record.group, text=record.text, statistics=score.statistics if score else None)
        for record, score in _with_scores(work, scored, dealing)
    ]
    annotated, cache = read_annotations(work.annotations), work.store.work(SCORES)
    write_json(work.queue, put_in_order(pending, work.config, dealing, annotated=annotated, cache=cache))
    judged = sum(record.statistics is not None for record in pending)
    log.info("prioritise: %d records by %s, %d of them scored", len(pending), config.strategy, judged)
    return PrioritiseFigures(strategy=config.strategy, records=len(pending), scored=judged)


def _with_scores(work: Work, scored: ScoreFigures, dealing: Splits) -> Iterator[tuple[Record, Score | None]]:
    """Pending records with what the model says about them; of a blind one nothing, whatever it said before."""
    book = _book(work, scored.model) if scored.model else None
    for record in _pending(work):
        known = book is not None and not work.config.is_blind(record.group, dealing)
        score = book.get(record.id, record.text) if book and known else None
        yield record, score and _today(score, work.config.task)


def _today(score: Score, task: TaskConfig) -> Score:
    """A score under the labels that the project has; the book keeps those of the model."""
    return Score(relabel(score.spans, task), relabel_doubt(score.statistics, task))


@step("log")
def log_suggestions(work: Work, scored: ScoreFigures, client: ArgillaClient) -> LogFigures:
    """Write suggestions, priorities and uncertainties to Argilla, to records that still nobody has answered.

    Args:
        work: The round's work, with the records and the queue.
        scored: The model that suggests.
        client: Talks to Argilla.

    Returns:
        What was written.

    Raises:
        StoreError: Another model went into service, another round began or another store took the dataset meanwhile;
            that one writes, not this one.
    """
    if (now := work.store.champion()) != scored.model:
        raise StoreError(f"{now} went into service while {work.name} scored with {scored.model}; run again")
    dataset = find_dataset(client, work.config)

    def refuse_if_lost(_: int = 0) -> None:
        work.store.refuse_if_superseded()
        refuse_if_taken(work.store, client, dataset)

    refuse_if_lost()
    written = write_suggestions(
        client,
        dataset,
        _items(work, scored, overlapping=dataset.allow_overlapping),
        origin=_origin(work),
        keep_foreign=work.config.argilla.foreign_suggestions == "keep",
        progress=refuse_if_lost,
    )
    log.info("log: %s", ", ".join(f"{name} {count}" for name, count in asdict(written).items() if count) or "nothing")
    embeddings = share_embeddings(work, client, dataset) if work.config.argilla.find_similar else 0
    return LogFigures(written=written, embeddings=embeddings)


def _items(work: Work, scored: ScoreFigures, *, overlapping: bool) -> Iterator[Scored]:
    """What there is to say about each pending record; Argilla refuses overlaps unless the question allows them."""
    queue: Queue = read_json(work.queue)
    before, dealing = waiting_before(work.store) or {}, known_dealing(work.store, work.config.splits)
    for record, score in _with_scores(work, scored, dealing):
        suggestion = None
        if score:
            spans = score.spans if overlapping else tuple(likeliest(score.spans))
            suggestion = Suggestion(spans, str(scored.model))
        yield Scored(
            record.id,
            suggestion,
            queue["priority"][record.id],
            queue["uncertainty"].get(record.id),
            blind=work.config.is_blind(record.group, dealing),
            text=record.text,
            stale=before.get(record.id, text_key(record.text)) != text_key(record.text),
        )


def _origin(work: Work) -> Callable[[str], Origin]:
    """Whose suggestions are: a version that is published only after this is a later round's; agents are no versions."""
    known = {*work.store.names("models"), IMPORT_AGENT}

    def origin(agent: str) -> Origin:
        if agent in known:
            return "ours"
        return "newer" if agent in work.store.names("models") else "foreign"

    return origin
