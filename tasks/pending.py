"""Tasks of the last steps: score, prioritise, log."""

from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from spanloop.rounds import pending
from spanloop.rounds.inputs import Pulled
from spanloop.rounds.pending import Scores
from spanloop.rounds.work import Work
from tasks.access import argilla_task, connect
from tasks.showing import ProgressBar


@task(name="score", cache_policy=NO_CACHE)
def score_pending(work: Work, pulled: Pulled, champion: str | None) -> Scores:
    """Score pending records with the model in service."""
    bar = ProgressBar("scoring", f"Scoring of round {work.name}")
    scores = pending.score_pending(work, pulled, champion, bar.show)
    bar.finish()
    return scores


@task(name="prioritise", cache_policy=NO_CACHE)
def prioritise_pending(work: Work, pulled: Pulled, scores: Scores) -> Path:
    """Give every pending record its place in the queue."""
    return pending.prioritise_pending(work, pulled, scores)


@argilla_task(name="log")
def log_suggestions(work: Work, pulled: Pulled, scores: Scores, queue: Path) -> None:
    """Write suggestions and priorities to Argilla."""
    with connect(work.config) as client:
        pending.log_suggestions(work, pulled, scores, queue, client)
