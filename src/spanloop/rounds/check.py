"""Ask from outside whether a round has anything to do: seconds, no torch, no Prefect."""

from datetime import UTC, datetime

from spanloop.annotations.resolve import resolve
from spanloop.argilla.client import ArgillaClient
from spanloop.argilla.dataset import find_dataset, queue_link
from spanloop.argilla.pull import pull_submitted
from spanloop.config import LoopConfig
from spanloop.reports.report import RoundReport, idle_report
from spanloop.rounds.news import find_news
from spanloop.rounds.work import last_round
from spanloop.store import Store


def check(config: LoopConfig, client: ArgillaClient) -> RoundReport | None:
    """Compare what is in Argilla with what the last round saw.

    Args:
        config: The configuration.
        client: Talks to Argilla.

    Returns:
        The report of a round that would have nothing to do; None if there is work.

    Raises:
        RoundInProgress: A round is running.
        ArgillaError: Argilla cannot be asked.
    """
    store = Store(config.store)
    dataset = find_dataset(client, config)
    last = last_round(store)
    with store.lock("a look for news"):
        pass
    if last is None:
        return None
    annotations = resolve(pull_submitted(client, dataset), config.annotations).annotations
    records = client.get(f"datasets/{dataset.id}/progress")["total"]
    news = find_news(store, config, annotations, records)
    if news.anything:
        return None
    link = queue_link(config.argilla.api_url, dataset.id)
    return idle_report(last, news.reason, link, datetime.now(UTC).isoformat(timespec="seconds"))
