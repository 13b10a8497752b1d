"""Ask from outside whether a round has anything to do: seconds, no torch, no datasets, no Prefect."""

from spanloop.annotations import resolve
from spanloop.argilla.client import ArgillaClient
from spanloop.argilla.dataset import find_dataset, queue_link
from spanloop.argilla.pull import pull_submitted
from spanloop.config import LoopConfig
from spanloop.rounds.news import News, find_news
from spanloop.rounds.work import last_round
from spanloop.store import Store


def check(config: LoopConfig, client: ArgillaClient) -> tuple[News, str]:
    """Compare what is in Argilla with what the last round saw.

    Args:
        config: The configuration.
        client: Talks to Argilla.

    Returns:
        The news, and the link where annotators go on.

    Raises:
        RoundInProgress: A round is running.
        ArgillaError: Argilla cannot be asked.
    """
    store = Store(config.store)
    dataset = find_dataset(client, config)
    with store.lock("a look for news"):
        pass
    link = queue_link(config.argilla.api_url, dataset.id)
    if last_round(store) is None:
        return News(True, "the first round"), link
    annotations = resolve(pull_submitted(client, dataset), config.annotations).annotations
    records = client.get(f"datasets/{dataset.id}/progress")["total"]
    return find_news(store, config, annotations, records), link
