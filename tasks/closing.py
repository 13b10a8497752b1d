"""Tasks of the end of a round: its record and its summary."""

from prefect import task
from prefect.cache_policies import NO_CACHE

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
