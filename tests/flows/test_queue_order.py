"""A strategy of the user's own, outside the package, orders the annotators' queue."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from sentences import sentences
from world import World

from spanloop.selection.minhash import near_duplicates, signatures
from spanloop.settings import load_config

pytestmark = pytest.mark.usefixtures("prefect_server")

MY_PACKAGE = """
def my_function(pool, rng):
    letters = [record.text.count("e") for record in pool.records]
    return pool.statistic("n_words") + letters  # n_words: only what the model has scored
"""


def test_a_strategy_of_one_s_own_orders_the_queue(make_world: Callable[..., World], tmp_path: Path) -> None:
    from flows.active_learning import active_learning

    world = make_world(sentences(70))
    (tmp_path / "my_package.py").write_text(MY_PACKAGE)
    tree = world.config.model_dump(mode="json")
    tree["selection"]["strategy"] = "my_package:my_function"
    (tmp_path / "spanloop.yaml").write_text(yaml.safe_dump(tree))
    world.config = load_config(tmp_path / "spanloop.yaml", {})
    world.annotate(35)

    parameters = world.config.model_dump(mode="json")  # as a deployment holds them
    report = active_learning(parameters)
    queue, _ = world.waiting()
    assert (report.outcome, report.figures.score.scored) == ("promoted", len(queue))
    priorities = [r.metadata["priority"] for r in queue]
    values = [len(r.text.replace(".", " .").replace(",", " ,").split()) + r.text.count("e") for r in queue]
    assert len(set(priorities)) == len(queue) >= 15
    assert values == sorted(values, reverse=True)
    assert len(set(values)) > 3
    assert [r.metadata["uncertainty"] for r in queue] == values


def test_before_the_first_model_no_text_is_asked_twice(make_world: Callable[..., World]) -> None:
    """The texts repeat each other; once an annotator has seen one, its repetitions wait behind all others."""
    from flows.active_learning import active_learning

    world = make_world(sentences(60))
    world.config.selection.steps = {"duplicates": 1.0}

    def queue() -> list[str]:
        active_learning(world.config)
        return [r.text for r in world.pending() if world.config.splits.split_of(r.group) == "train"]

    before = queue()
    different = len(set(before))
    assert different < len(before)
    assert len(set(before[:different])) == different
    kept = list(world.store.work("scores").glob("embeddings-*.f16"))
    assert len(kept) == 1  # an encoder that nobody has trained told the texts apart

    world.annotate(8)  # too few to train
    done = {
        r.text for r in world.records().values() if r.responses and world.config.splits.split_of(r.group) == "train"
    }
    after = queue()
    repeats = near_duplicates(signatures([*done, *after]))[len(done) :].tolist()
    assert done
    assert repeats == sorted(repeats)
    assert all(repeated for text, repeated in zip(after, repeats, strict=True) if text in done)
    assert list(world.store.work("scores").glob("embeddings-*.f16")) == kept
