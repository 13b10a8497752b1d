"""Tasks of the first steps: pull, annotations, news, snapshot."""

from pathlib import Path
from typing import cast

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed

from spanloop.reports.report import RoundReport
from spanloop.rounds import closing, inputs, models, pending
from spanloop.rounds.inputs import Annotated, Pulled, Snapshotted
from spanloop.rounds.models import Contest
from spanloop.rounds.news import News
from spanloop.rounds.pending import Scores
from spanloop.rounds.work import Work
from spanloop.training.outcome import TrainProgress
from tasks.access import argilla_task, connect
from tasks.ui import ProgressBar, show_scores, show_summary


@argilla_task(name="pull")
def pull_records(work: Work) -> Pulled:
    """Copy the records of the Argilla dataset into the round's work folder."""
    with connect(work.config) as client:
        return inputs.pull_records(work, client)


@task(name="annotations", cache_policy=NO_CACHE)
def resolve_annotations(work: Work, pulled: Pulled) -> Annotated:
    """Turn submitted responses into one annotation a record."""
    return inputs.resolve_annotations(work, pulled)


@task(name="news", cache_policy=NO_CACHE)
def look_for_news(work: Work, pulled: Pulled, annotated: Annotated, again: bool) -> News:
    """Compare with what the last round saw."""
    return inputs.begin_with_news(work, pulled, annotated, again)


@task(name="snapshot", cache_policy=NO_CACHE)
def publish_snapshot(work: Work, pulled: Pulled, annotated: Annotated) -> Snapshotted:
    """Publish the annotations as an immutable version of the data set."""
    return inputs.publish_snapshot(work, pulled, annotated)


@task(name="close", cache_policy=NO_CACHE)
def close_round(
    work: Work, pulled: Pulled, snapshot: Snapshotted, contest: Contest, champion: str | None
) -> RoundReport:
    """Publish the record of the round."""
    report = closing.close_round(work, pulled, snapshot, contest, champion)
    show_summary(report)
    return report


@task(name="close", cache_policy=NO_CACHE)
def close_idle(work: Work, news: News) -> RoundReport:
    """End a round that has nothing to do."""
    report = closing.close_idle(work, news)
    show_summary(report)
    return report


def finished(report: RoundReport) -> RoundReport:
    """Name the final state of the flow run after the outcome, so that the list of runs tells them apart.

    Args:
        report: The round's report.

    Returns:
        A completed state that carries the report; whoever calls the flow gets the report itself.
    """
    return cast(RoundReport, Completed(name=report.outcome.capitalize(), message=report.reason, data=report))


@task(name="train", cache_policy=NO_CACHE)
def train_challenger(work: Work, snapshot: Snapshotted) -> Contest:
    """Train a challenger on the snapshot, or say why there is none."""
    bar = ProgressBar("training", f"Training of round {work.name}")

    def report(now: TrainProgress) -> None:
        bar.show(now.step, now.max_steps)

    contest = models.train_challenger(work, snapshot, report)
    bar.finish()
    return contest


@task(name="evaluate", cache_policy=NO_CACHE)
def evaluate_models(work: Work, snapshot: Snapshotted, contest: Contest) -> None:
    """Score champion and challenger on the same test records."""
    models.evaluate_models(work, snapshot, contest)
    show_scores(work)


@task(name="gate", cache_policy=NO_CACHE)
def choose_champion(work: Work, snapshot: Snapshotted, contest: Contest) -> str | None:
    """Put the challenger into service if it is better."""
    return models.choose_champion(work, snapshot, contest)


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
