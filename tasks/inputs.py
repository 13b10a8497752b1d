"""Tasks of the first steps: pull, annotations, news, snapshot."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from spanloop.rounds import closing, inputs
from spanloop.rounds.inputs import Annotated, Pulled, Snapshotted
from spanloop.rounds.news import News
from spanloop.rounds.work import Work
from tasks.access import argilla_task, connect


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
    return closing.begin_with_news(work, pulled, annotated, again)


@task(name="snapshot", cache_policy=NO_CACHE)
def publish_snapshot(work: Work, pulled: Pulled, annotated: Annotated) -> Snapshotted:
    """Publish the annotations as an immutable version of the data set."""
    return inputs.publish_snapshot(work, pulled, annotated)
