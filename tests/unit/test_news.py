"""When there is something to do, and how it is said."""

import json

import pytest

from spanloop.config import LoopConfig
from spanloop.records import Annotation, Span
from spanloop.rounds.identity import fingerprints, settings_of
from spanloop.rounds.news import find_news, judged_before
from spanloop.rounds.work import begin_round, champion_at_start, name_challenger, open_round
from spanloop.store import Store
from spanloop.store.jsonl import write_json


def annotations(n, label="person"):
    return [Annotation(str(i), f"text {i}", str(i), (Span(0, 4, label),), ("u1",), None) for i in range(n)]


@pytest.fixture
def config(tmp_path):
    return LoopConfig(store=str(tmp_path / "store"))


def model(store, name):
    store.publish("models", name, lambda folder: (folder / "weights").write_text(name))
    return name


def finish_round(config, found, records=100, **fields):
    """Publish a round as a finished one would."""
    store = Store(config.store)
    tree = {
        "round": "r0001",
        "champion": store.champion(),
        "inputs": {"records": records, "settings": settings_of(config), "training": "t1"},
        "challenger": None,
        "snapshot": None,
        **fields,
    }

    def fill(folder):
        write_json(folder / "round.json", tree)
        write_json(folder / "annotations.json", fingerprints(found))

    store.publish("rounds", tree["round"], fill)
    return store


def test_the_first_round_is_news(config):
    news = find_news(Store(config.store), config, annotations(3), 100)
    assert news.anything
    assert news.reason == "the first round: 3 of 100 records are annotated"


def test_the_same_again_is_not(config):
    store = finish_round(config, annotations(3))
    news = find_news(store, config, annotations(3), 100)
    assert not news.anything
    assert news.reason == "nothing new since r0001: 3 records are annotated"


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (annotations(5), "2 records annotated or changed since r0001"),
        (annotations(3, "place"), "3 records annotated or changed since r0001"),
        (annotations(2), "1 records annotated or changed since r0001"),
    ],
)
def test_added_changed_and_withdrawn_records_are_news(config, now, reason):
    news = find_news(finish_round(config, annotations(3)), config, now, 100)
    assert news.anything
    assert news.reason == reason


def test_fewer_than_asked_for_are_not_yet_news(config):
    config.round.min_new = 10
    news = find_news(finish_round(config, annotations(3)), config, annotations(7), 100)
    assert not news.anything
    assert news.reason == "nothing new since r0001: 4 records annotated or changed, 10 needed"


def test_imported_records_are_news(config):
    news = find_news(finish_round(config, annotations(3)), config, annotations(3), 150)
    assert news.reason == "150 records, 100 in r0001"


def test_a_changed_setting_is_news(config):
    store = finish_round(config, annotations(3))
    config.selection.strategy = "random"
    assert find_news(store, config, annotations(3), 100).reason == "selection.strategy was changed since r0001"


def test_a_rollback_is_news(config):
    store = Store(config.store)
    for name in ("m0001-aaaaaaaa", "m0002-bbbbbbbb"):
        store.set_champion(model(store, name))
    finish_round(config, annotations(3))
    store.roll_back()
    news = find_news(store, config, annotations(3), 100)
    assert news.reason == "the champion is m0001-aaaaaaaa; it was m0002-bbbbbbbb after r0001"


def test_an_interrupted_round_is_news(config):
    store = finish_round(config, annotations(3))
    with open_round(config) as work:
        begin_round(work, "key", "now")
    assert find_news(store, config, annotations(3), 100).reason == "r0002 was interrupted; it goes on"


def test_what_a_round_killed_after_its_publication_left_is_removed(config):
    with open_round(config) as work:
        begin_round(work, "key", "now")
        finish_round(config, annotations(3))  # and here the round dies
    with open_round(config) as work:
        assert work.name == "r0002"
    assert sorted(path.name for path in (Store(config.store).root / "work").iterdir()) == ["r0002"]


def test_a_model_is_judged_once(config):
    store = finish_round(config, annotations(3), challenger="m0001-aaaaaaaa", snapshot="v0001-cccccccc")
    assert judged_before(store, "v0001-cccccccc", "t1") == "r0001"
    assert judged_before(store, "v0001-cccccccc", "t2") is None
    assert judged_before(store, "v0002-dddddddd", "t1") is None


def test_the_champion_at_the_start_is_remembered_over_a_crash_after_promotion(config):
    store = Store(config.store)
    old, new = model(store, "m0001-aaaaaaaa"), model(store, "m0002-bbbbbbbb")
    store.set_champion(old)
    with open_round(config) as work:
        begin_round(work, "key", "then")
        assert champion_at_start(work) == old
        name_challenger(work, new)
        store.set_champion(new)  # and here the round dies
    with open_round(config) as work:
        begin_round(work, "key", "now")
        assert champion_at_start(work) == old
        assert json.loads(work.file("start.json").read_text())["started_at"] == "then"
        begin_round(work, "another key", "now")
        assert champion_at_start(work) == new


def test_a_rollback_between_two_attempts_starts_afresh(config):
    store = Store(config.store)
    first, old, new = (model(store, f"m000{i}-aaaaaaa{i}") for i in (1, 2, 3))
    store.set_champion(first)
    store.set_champion(old)
    with open_round(config) as work:
        begin_round(work, "key", "then")
        name_challenger(work, new)
    store.roll_back()
    with open_round(config) as work:
        begin_round(work, "key", "now")
        assert champion_at_start(work) == first
