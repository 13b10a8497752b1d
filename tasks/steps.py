"""The tasks of a round: one call of the library each, with retries where Argilla is asked and pictures for the UI."""

from typing import cast

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed

from spanloop.argilla import connect
from spanloop.rounds import closing, inputs, models, news, outlook, suggestions
from spanloop.rounds.figures import (
    AnnotationFigures,
    EvaluateFigures,
    GateFigures,
    LogFigures,
    OutlookFigures,
    PrioritiseFigures,
    PullFigures,
    ScoreFigures,
    Sections,
    SnapshotFigures,
    TrainFigures,
)
from spanloop.rounds.news import News
from spanloop.rounds.report import RoundReport
from spanloop.rounds.work import Work
from spanloop.training import TrainProgress
from tasks.access import argilla_task
from tasks.ui import ProgressBar, show_scores, show_summary


@argilla_task(name="pull")
def pull_records(work: Work) -> PullFigures:
    """Copy the records of the Argilla dataset into the round's work folder."""
    with connect(work.config) as client:
        return inputs.pull_records(work, client)


@task(name="annotations", cache_policy=NO_CACHE)
def resolve_annotations(work: Work, pulled: PullFigures) -> AnnotationFigures:
    """Turn submitted responses into one annotation a record."""
    return inputs.resolve_annotations(work, pulled)


@task(name="news", cache_policy=NO_CACHE)
def look_for_news(work: Work, pulled: PullFigures, annotated: AnnotationFigures, again: bool) -> News:
    """Compare with what the last round saw, and begin the round if there is anything to do."""
    return news.look_for_news(work, pulled, annotated, again)


@task(name="snapshot", cache_policy=NO_CACHE)
def publish_snapshot(work: Work, pulled: PullFigures, annotated: AnnotationFigures) -> SnapshotFigures:
    """Publish the annotations as an immutable version of the data set."""
    return inputs.publish_snapshot(work, pulled, annotated)


@task(name="train", cache_policy=NO_CACHE)
def train_challenger(work: Work, snapshot: SnapshotFigures) -> TrainFigures:
    """Train a challenger on the snapshot, or say why there is none."""
    bar = ProgressBar("training", f"Training of round {work.name}")

    def report(now: TrainProgress) -> None:
        bar.show(now.step, now.max_steps)

    trained = models.train_challenger(work, snapshot, report)
    bar.finish()
    return trained


@task(name="evaluate", cache_policy=NO_CACHE)
def evaluate_models(work: Work, snapshot: SnapshotFigures, trained: TrainFigures) -> EvaluateFigures:
    """Score champion and challenger on the same test records."""
    evaluated = models.evaluate_models(work, snapshot, trained)
    show_scores(work.name, evaluated)
    return evaluated


@task(name="gate", cache_policy=NO_CACHE)
def choose_champion(work: Work, snapshot: SnapshotFigures, trained: TrainFigures) -> GateFigures:
    """Put the challenger into service if it is better."""
    return models.choose_champion(work, snapshot, trained)


@task(name="score", cache_policy=NO_CACHE)
def score_pending(work: Work, gate: GateFigures) -> ScoreFigures:
    """Score pending records with the model in service."""
    bar = ProgressBar("scoring", f"Scoring of round {work.name}")
    scored = suggestions.score_pending(work, gate.champion, bar.show)
    bar.finish()
    return scored


@task(name="prioritise", cache_policy=NO_CACHE)
def prioritise_pending(work: Work, scored: ScoreFigures) -> PrioritiseFigures:
    """Give every pending record its place in the queue."""
    return suggestions.prioritise_pending(work, scored)


@argilla_task(name="log")
def log_suggestions(work: Work, scored: ScoreFigures) -> LogFigures:
    """Write suggestions and priorities to Argilla."""
    with connect(work.config) as client:
        return suggestions.log_suggestions(work, scored, client)


@task(name="outlook", cache_policy=NO_CACHE)
def look_ahead(work: Work, pulled: PullFigures, snapshot: SnapshotFigures) -> OutlookFigures:
    """Forecast what more annotating will bring and cost."""
    return outlook.look_ahead(work, pulled, snapshot)


@task(name="close", cache_policy=NO_CACHE)
def close_round(work: Work, sections: Sections) -> RoundReport:
    """Publish the record of the round."""
    report = closing.close_round(work, sections)
    show_summary(report)
    return report


@task(name="close", cache_policy=NO_CACHE)
def close_idle(work: Work, news: News, pulled: PullFigures) -> RoundReport:
    """End a round that has nothing to do."""
    report = closing.close_idle(work, news, pulled)
    show_summary(report)
    return report


def finished(report: RoundReport) -> RoundReport:
    """Name the final state of the flow run after the outcome, so that the list of runs tells them apart.

    Returns:
        A completed state that carries the report; whoever calls the flow gets the report itself.
    """
    return cast(RoundReport, Completed(name=report.outcome.capitalize(), message=report.reason, data=report))
