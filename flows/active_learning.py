"""The flow `active-learning`: the order of the steps of one round, nothing else."""

from prefect import flow

from spanloop.config import LoopConfig
from spanloop.reports.report import RoundReport
from spanloop.rounds.work import open_round
from tasks.logs import prepare_logs
from tasks.steps import (
    choose_champion,
    close_idle,
    close_round,
    evaluate_models,
    finished,
    log_suggestions,
    look_for_news,
    prioritise_pending,
    publish_snapshot,
    pull_records,
    resolve_annotations,
    score_pending,
    train_challenger,
)

prepare_logs()


@flow(name="active-learning")
def active_learning(config: LoopConfig, again: bool = False) -> RoundReport:
    """Run one round: what annotators submitted becomes a data set version, a judged model and fresh suggestions.

    Args:
        config: The whole configuration of the loop; no secret is in it.
        again: Run also when nothing is new since the last round.

    Returns:
        What the round worked on, what it decided, and every figure.
    """
    with open_round(config) as work:
        pulled = pull_records(work)
        annotated = resolve_annotations(work, pulled)
        news = look_for_news(work, pulled, annotated, again)
        if not news.anything:
            return finished(close_idle(work, news))
        snapshot = publish_snapshot(work, pulled, annotated)
        contest = train_challenger(work, snapshot)
        evaluate_models(work, snapshot, contest)
        champion = choose_champion(work, snapshot, contest)
        scores = score_pending(work, pulled, champion)
        queue = prioritise_pending(work, pulled, scores)
        log_suggestions(work, pulled, scores, queue)
        return finished(close_round(work, pulled, snapshot, contest, champion))
