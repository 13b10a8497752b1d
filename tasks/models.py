"""Tasks of the middle steps: train, evaluate, gate."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from spanloop.rounds import models
from spanloop.rounds.inputs import Snapshotted
from spanloop.rounds.models import Contest
from spanloop.rounds.work import Work
from spanloop.training.results import TrainProgress
from tasks.showing import ProgressBar, show_scores


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
