"""The flow `active-learning`: the order of the steps of one round, nothing else."""

from prefect import flow

from spanloop.config import LoopConfig
from spanloop.rounds.figures import Sections
from spanloop.rounds.report import RoundReport
from spanloop.rounds.work import Work, in_round
from tasks.logs import prepare_logs
from tasks.steps import (
    choose_champion,
    close_idle,
    close_round,
    evaluate_models,
    finished,
    log_suggestions,
    look_ahead,
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
    return in_round(config, one_round, again)


def one_round(work: Work, again: bool) -> RoundReport:
    """The steps of one round, in their order."""
    pulled = pull_records(work)
    annotated = resolve_annotations(work, pulled)
    news = look_for_news(work, pulled, annotated, again)
    if not news.anything:
        return finished(close_idle(work, news, pulled))
    snapshot = publish_snapshot(work, pulled, annotated)
    trained = train_challenger(work, snapshot)
    evaluated = evaluate_models(work, snapshot, trained)
    gate = choose_champion(work, snapshot, trained)
    scored = score_pending(work, gate)
    queue = prioritise_pending(work, scored)
    written = log_suggestions(work, scored)
    outlook = look_ahead(work, pulled, snapshot)
    sections = Sections(
        pull=pulled,
        annotations=annotated,
        snapshot=snapshot,
        train=trained,
        evaluate=evaluated,
        gate=gate,
        score=scored,
        prioritise=queue,
        log=written,
        outlook=outlook,
    )
    return finished(close_round(work, sections))
