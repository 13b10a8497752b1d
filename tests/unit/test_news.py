"""When there is something to do, and how it is said."""

import pytest
from rounds import a_round

from spanloop.config import GateConfig, LoopConfig
from spanloop.evaluation.gate import decide
from spanloop.records import Annotation, Example, Span
from spanloop.rounds.figures import GateFigures, PullFigures
from spanloop.rounds.identity import fingerprints, settings_of
from spanloop.rounds.news import find_news, judged_before
from spanloop.rounds.work import begin_round, discard, in_round, judged_models, name_challenger, start_of, step
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


WAITING = {"w1": "text of 1", "w2": "text of 2"}


def finish_round(config, found, records=100, challenger=None, snapshot=None):
    """Publish a round as a finished one would."""
    store = Store(config.store)
    report = a_round(
        champion=store.champion(),
        inputs={"settings": settings_of(config), "training": "t1"},
        pull={"records": records},
        train={"challenger": challenger},
        snapshot={"version": snapshot},
    )

    def fill(folder):
        write_json(folder / "round.json", report.model_dump(mode="json"))
        write_json(folder / "annotations.json", fingerprints(found))
        write_json(folder / "waiting.json", WAITING)

    store.publish("rounds", report.round, fill)
    return store


def test_the_first_round_is_news(config):
    news = find_news(Store(config.store), config, annotations(3), 100, WAITING)
    assert news.anything
    assert news.reason == "the first round: 3 of 100 records are annotated"


def test_the_same_again_is_not(config):
    store = finish_round(config, annotations(3))
    news = find_news(store, config, annotations(3), 100, WAITING)
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
    news = find_news(finish_round(config, annotations(3)), config, now, 100, WAITING)
    assert news.anything
    assert news.reason == reason


def test_fewer_than_asked_for_are_not_yet_news(config):
    config.round.min_new = 10
    news = find_news(finish_round(config, annotations(3)), config, annotations(7), 100, WAITING)
    assert not news.anything
    assert news.reason == "nothing new since r0001: 4 records annotated or changed, 10 needed"


def test_imported_records_are_news(config):
    news = find_news(finish_round(config, annotations(3)), config, annotations(3), 150, WAITING)
    assert news.reason == "150 records, 100 in r0001"


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        ({"w1": "text of 1", "w3": "text of 3"}, "1 new among the records that wait, since r0001"),
        ({"w1": "another", "w2": "text of 2"}, "1 with another text among the records that wait, since r0001"),
        ({"w1": "", "w4": "", "w5": ""}, "2 new and 1 with another text among the records that wait, since r0001"),
    ],
)
def test_one_record_for_another_and_an_edited_text_are_news(config, now, reason):
    assert find_news(finish_round(config, annotations(3)), config, annotations(3), 100, now).reason == reason


def test_records_that_wait_no_more_are_no_news(config):
    assert not find_news(finish_round(config, annotations(3)), config, annotations(3), 100, {}).anything


def test_records_that_lost_their_place_in_the_queue_are_news(config):
    news = find_news(finish_round(config, annotations(3)), config, annotations(3), 100, WAITING, unordered=2)
    assert news.reason == "2 of the records that wait have no place in the queue"


def test_a_round_that_does_not_say_which_texts_waited_is_followed_by_one(config):
    store = finish_round(config, annotations(3))
    (store.path("rounds", "r0001") / "waiting.json").unlink()
    assert find_news(store, config, annotations(3), 100, WAITING).reason == "r0001 does not say which texts waited"


def test_a_changed_setting_is_news(config):
    store = finish_round(config, annotations(3))
    config.selection.strategy = "random"
    assert find_news(store, config, annotations(3), 100, WAITING).reason == "selection.strategy was changed since r0001"


def test_a_rollback_is_news(config):
    store = Store(config.store)
    for name in ("m0001-aaaaaaaa", "m0002-bbbbbbbb"):
        store.set_champion(model(store, name))
    finish_round(config, annotations(3))
    store.roll_back()
    news = find_news(store, config, annotations(3), 100, WAITING)
    assert news.reason == "the champion is m0001-aaaaaaaa; it was m0002-bbbbbbbb after r0001"


def begin(config, key="key", now="then"):
    """Open the next round, begin it, and die."""

    def steps(work):
        begin_round(work, key, now)
        return work

    return in_round(config, steps)


def test_an_interrupted_round_is_news(config):
    store = finish_round(config, annotations(3))
    begin(config)
    assert find_news(store, config, annotations(3), 100, WAITING).reason == "r0002 was interrupted; it goes on"


def test_what_a_round_killed_after_its_publication_left_is_removed(config):
    begin(config)
    finish_round(config, annotations(3))
    assert in_round(config, lambda work: work.name) == "r0002"
    assert sorted(path.name for path in (Store(config.store).root / "work").iterdir()) == ["r0002"]


def test_a_model_is_judged_once_while_it_is_whole(config):
    store = Store(config.store)
    name = model(store, "m0001-aaaaaaaa")
    finish_round(config, annotations(3), challenger=name, snapshot="v0001-cccccccc")
    assert judged_before(store, "v0001-cccccccc", "t1") == "r0001"
    assert judged_before(store, "v0001-cccccccc", "t2") is None
    assert judged_before(store, "v0002-dddddddd", "t1") is None
    (store.path("models", name) / "weights").write_text("a bit flipped")
    assert judged_before(store, "v0001-cccccccc", "t1") is None
    store.set_aside("models", name)
    assert judged_before(store, "v0001-cccccccc", "t1") is None


@pytest.mark.parametrize("name", ["round.json", "annotations.json", "waiting.json"])
def test_a_damaged_record_of_a_round_stops_nothing(config, name):
    store = finish_round(config, annotations(3))
    (store.path("rounds", "r0001") / name).write_text("{half")
    assert find_news(store, config, annotations(3), 100, WAITING).anything


def test_the_champion_at_the_start_is_remembered_over_a_crash_after_promotion(config):
    store = Store(config.store)
    old, new = model(store, "m0001-aaaaaaaa"), model(store, "m0002-bbbbbbbb")
    store.set_champion(old)
    work = begin(config, now="then")
    assert start_of(work).champion == old
    name_challenger(work, new)
    store.set_champion(new)  # and here the round dies
    work = begin(config, now="later")
    assert (start_of(work).champion, start_of(work).started_at) == (old, "then")
    work = begin(config, "another key")
    assert start_of(work).champion == new


def test_no_model_goes_between_two_attempts_at_a_round(config):
    config.retention.models = 1
    store = Store(config.store)
    for number in (1, 2):
        store.set_champion(model(store, f"m000{number}-aaaaaaa{number}"))
    name_challenger(begin(config), model(store, "m0003-aaaaaaa3"))
    store.set_champion("m0003-aaaaaaa3")  # and here the round dies
    begin(config)
    assert [name[:5] for name in store.names("models")] == ["m0001", "m0002", "m0003"]


def test_a_rollback_between_two_attempts_starts_afresh(config):
    store = Store(config.store)
    first, old, new = (model(store, f"m000{i}-aaaaaaa{i}") for i in (1, 2, 3))
    store.set_champion(first)
    store.set_champion(old)
    name_challenger(begin(config), new)
    store.roll_back()
    assert start_of(begin(config)).champion == first


@step("gate")
def some_step(work):
    return GateFigures(champion=None)


@step("pull", resumes=False)
def another_step(work):
    return PullFigures(labels=(), records=1, submitted=0, pending=1, queue_link="")


def test_time_counts_over_attempts_at_the_same_work_alone(config, monkeypatch):
    ticks = iter(range(0, 1000, 10))
    monkeypatch.setattr("spanloop.rounds.work.time.perf_counter", lambda: next(ticks))
    work = begin(config)
    assert [some_step(work).seconds, some_step(work).seconds] == [10.0, 20.0]
    assert [another_step(work).seconds, another_step(work).seconds] == [10.0, 10.0]
    assert some_step(begin(config)).seconds == 30.0
    assert some_step(begin(config, "another key")).seconds == 10.0


@pytest.mark.parametrize("name", ["start.json", "journal/gate.json"])
def test_damaged_notes_of_an_attempt_are_made_again(config, name, caplog):
    some_step(begin(config))
    path = Store(config.store).root / "work" / "r0001" / name
    path.write_text("{half")
    assert start_of(begin(config)).key == "key"
    assert some_step(begin(config)).seconds >= 0
    assert f"{name} is damaged; it is made again" in caplog.text


def test_scores_of_models_out_of_use_go_and_nothing_else(config):
    store = Store(config.store)
    store.set_champion(model(store, "m0002-bbbbbbbb"))
    judge(store, model(store, "m0003-cccccccc"))
    model(store, "m0001-aaaaaaaa")
    folder = store.work("scores")
    stay = ["m0002-bbbbbbbb-12345678.jsonl", "m0003-cccccccc-test-12345678.json", "notes.txt", "m0001-aaaaaaaa.bak"]
    go = ["m0001-aaaaaaaa-12345678.jsonl", "m0001-aaaaaaaa-test-12345678.json"]
    for name in (*stay, *go):
        (folder / name).write_text("x")
    discard(begin(config))
    assert sorted(path.name for path in folder.iterdir()) == sorted(stay)


JUDGED = decide([Example("1", "Anna", (Span(0, 4, "person"),))], None, {"1": [Span(0, 4, "person")]}, GateConfig())


def judge(store, challenger):
    """Publish a round in which a challenger stood before the gate."""
    name = store.next_name("rounds")
    report = a_round(name, train={"challenger": challenger}, gate={"champion": challenger, "decision": JUDGED})
    store.publish("rounds", name, lambda folder: write_json(folder / "round.json", report.model_dump(mode="json")))


def test_the_models_judged_lately_are_those_still_there(config):
    store = finish_round(config, [])  # a round without a challenger
    names = [model(store, f"m{i:04}-aaaaaaaa") for i in range(1, 11)]
    for name in [*names, names[3], "m0099-9999"]:
        judge(store, name)
    assert judged_models(store) == [*names[2:3], *names[4:], names[3]]
