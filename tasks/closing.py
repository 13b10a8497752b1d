"""Tasks of the end of a round: its record and its summary."""

from typing import cast

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed

from spanloop.rounds import closing
from spanloop.rounds.inputs import Pulled, Snapshotted
from spanloop.rounds.models import Contest
from spanloop.rounds.news import News
from spanloop.rounds.report import RoundReport
from spanloop.rounds.work import Work
from tasks.showing import show_summary


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
