"""A round gives Argilla the embeddings of records, so that its page finds similar ones."""

from collections.abc import Callable

import pytest
from sentences import Sentence, sentences
from world import World

from spanloop.argilla.embeddings import EMBEDDING

pytestmark = pytest.mark.usefixtures("prefect_server")


def test_records_find_their_like(make_world: Callable[..., World]) -> None:
    from flows.active_learning import active_learning

    first, *others = {sentence.text: sentence for sentence in sentences(20)}.values()
    world = make_world([first, *others])
    world.config.argilla.find_similar = True
    world.add([Sentence("twin", "twin", f"{first.text} Yes.", (), "twin")])
    assert active_learning(world.config).figures.log.embeddings == len(others) + 2
    assert nearest(world, "twin") == first.id

    assert active_learning(world.config, again=True).figures.log.embeddings == 0
    world.add([Sentence("new", "new", "Rain again.", (), "new")])
    assert active_learning(world.config).figures.log.embeddings == 1


def nearest(world: World, name: str) -> str:
    """The record most like another, as the page's 'Find similar' asks for it."""
    query = {"vector": {"name": EMBEDDING, "record_id": world.records()[name].server_id}}
    answer = world.client.search(f"me/datasets/{world.dataset.id}/records/search", {"query": query}, limit=1)
    return str(answer["items"][0]["record"]["external_id"])
