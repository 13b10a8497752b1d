"""The flow `active-learning` against the real Argilla: what annotators submit becomes better suggestions."""

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from sentences import sentences
from world import World, run

from spanloop.argilla import Scored, write_suggestions
from spanloop.errors import ArgillaUnauthorized, ConfigError, RoundInProgress, StoreError
from spanloop.evaluation.optimism import optimism
from spanloop.records import Suggestion
from spanloop.scoring import predict
from spanloop.snapshot import load_snapshot, read_examples

pytestmark = pytest.mark.usefixtures("prefect_server")
MakeWorld = Callable[..., World]


def test_the_first_round_lacks_records_and_still_orders_the_queue(make_world: MakeWorld) -> None:
    world = make_world(sentences(40))
    report = run(world)
    assert report.outcome == "waiting"
    assert report.reason == (
        "0 submitted for training, 10 needed; the validation split has 0, 1 needed; the test split has 0, 3 needed"
    )
    queue = world.pending()
    assert len({record.metadata["priority"] for record in queue}) == 40
    held_out = [world.config.splits.split_of(record.group) != "train" for record in queue[:20]]
    assert 7 <= sum(held_out) <= 13  # half of every batch, as configured
    assert all(record.suggestion is None for record in queue)
    assert world.store.names("rounds") == ["r0001"]

    state = run(world, return_state=True)
    assert (state.type.value, state.name) == ("COMPLETED", "Nothing new")
    assert state.message == "nothing new since r0001: 0 records are annotated"
    assert state.result().outcome == "nothing new"
    assert world.store.names("rounds") == ["r0001"]


def prefect_api(path: str) -> list[dict[str, Any]]:
    """What the Prefect server shows under a path, everything."""
    from prefect.settings import PREFECT_API_URL

    answer = httpx.post(f"{PREFECT_API_URL.value()}/{path}/filter", json={"limit": 200}, timeout=30)
    found: list[dict[str, Any]] = answer.raise_for_status().json()
    return found


def test_two_rounds_and_then_nothing_new(make_world: MakeWorld) -> None:
    world = make_world(sentences(90))
    run(world)
    world.annotate(45)
    draft, discarded = world.pending()[:2]
    world.answer(draft, "draft", world.gold[draft.id][:1])
    world.answer(discarded, "discarded")
    before = world.records()

    first = run(world)
    assert first.outcome == "promoted"
    figures = first.figures
    assert first.champion == figures.train.challenger == world.store.champion()
    assert figures.annotations.annotated == figures.pull.submitted == 45
    assert first.scores is not None
    assert 0 <= first.scores.f1_low <= first.scores.f1 <= first.scores.f1_high <= 1
    assert figures.train.result.steps > 0
    snapshot = load_snapshot(world.store, figures.snapshot.version)
    assert {draft.id, discarded.id}.isdisjoint(i for split in snapshot.values() for i in split["id"])

    table = max((x for x in prefect_api("artifacts") if x["type"] == "table"), key=lambda x: x["created"])
    assert table["description"].endswith(first.round)
    assert [row["label"] for row in json.loads(table["data"])] == ["person", "place", "all"]

    after = world.records()
    answered = [i for i, record in before.items() if record.responses]
    assert {i: after[i] for i in answered} == {i: before[i] for i in answered}
    training, held_out = world.waiting()
    assert len(training) == figures.score.scored == figures.log.written.suggested == 43 - len(held_out)
    assert {record.suggestion.agent for record in training if record.suggestion} == {first.champion}

    world.annotate(20)
    second = run(world)
    assert second.figures.train.challenger not in (None, first.champion)
    assert second.figures.train.champion == first.champion
    assert second.figures.evaluate.champion is not None
    assert second.figures.gate.decision is not None
    assert second.accepted is not None
    now = world.records()
    assert second.accepted.n_records == sum(bool(now[record.id].submitted) for record in training) > 0
    examples = read_examples(world.store.path("snapshots", second.figures.snapshot.version), "test")
    judged = [world.store.path("models", name) for name in (first.champion, second.figures.train.challenger)]
    found = [predict(model, examples, world.config.scoring) for model in judged]
    serving = 1 if second.outcome == "promoted" else 0
    assert second.figures.gate.optimism == optimism(examples, found, serving, world.config.gate)

    state = world.state()
    assert run(world).outcome == "nothing new"
    assert world.state() == state
    assert run(world, again=True).outcome == "refreshed"
    assert world.state() == state


def test_what_is_submitted_while_the_round_runs_is_kept(make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    from spanloop.rounds import suggestions

    world = make_world(sentences(60))
    run(world)
    world.annotate(40)
    late, drafted = world.pending()[-2:]
    write = suggestions.write_suggestions

    def submit_and_write(*args: Any, **options: Any) -> Any:
        world.answer(late, "submitted", world.gold[late.id])
        world.answer(drafted, "draft")
        return write(*args, **options)

    monkeypatch.setattr(suggestions, "write_suggestions", submit_and_write)
    report = run(world)
    assert report.figures.log.written.answered == 2
    now = world.records()
    assert now[late.id].suggestion is None
    assert now[drafted.id].suggestion is None
    assert now[late.id].submitted[0].spans == world.gold[late.id]

    monkeypatch.setattr(suggestions, "write_suggestions", write)
    assert run(world).figures.annotations.annotated == 41


def test_a_worse_challenger_stays_out_and_a_champion_can_be_rolled_back(make_world: MakeWorld) -> None:
    world = make_world(sentences(80))
    run(world)
    world.annotate(35)
    good = run(world)
    assert good.outcome == "promoted"

    world.annotate(10)
    world.config.training.learning_rate, world.config.training.num_train_epochs = 1e-7, 1
    world.config.training.min_steps = 1
    fresh = sentences(5, seed=1)
    world.add(fresh)
    worse = run(world)
    assert worse.outcome == "kept"
    challenger = worse.figures.train.challenger
    assert challenger in world.store.names("models")
    assert world.store.champion() == good.champion
    assert {r.suggestion.agent for r in world.pending() if r.suggestion} == {good.champion}
    unseen = [sentence for sentence in fresh if not world.config.is_blind(sentence.group)]
    assert worse.figures.score.scored == len(unseen) > 0  # the others were scored by this champion before
    assert all(seconds > 0 for seconds in worse.figures.seconds.values())

    world.store.set_champion(challenger)
    assert run(world).outcome == "refreshed"
    assert {r.suggestion.agent for r in world.pending() if r.suggestion} == {challenger}
    world.store.roll_back()
    assert run(world).outcome == "refreshed"
    assert world.store.champion() == good.champion
    assert {r.suggestion.agent for r in world.pending() if r.suggestion} == {good.champion}


def test_numbers_in_the_names_of_other_agents_mean_nothing(make_world: MakeWorld) -> None:
    """Suggestions by gpt-4o, or by m0042 of a store that is lost, are no newer versions of this store's models."""
    world = make_world(sentences(50))
    agents = ["gpt-4o", "en_core_web_sm-3.8.0", "m0042-aaaaaaaa"]
    for agent, record in zip(agents, world.pending(), strict=False):
        suggestion = Suggestion((), agent)
        write_suggestions(world.client, world.dataset, [Scored(record.id, suggestion, 0.5)])
    suggested = {r.id: r.suggestion.agent for r in world.pending() if r.suggestion}
    assert sorted(suggested.values()) == sorted(agents)
    for record in [r for r in world.pending() if r.id not in suggested][:40]:
        world.answer(record, "submitted", world.gold[record.id])

    world.config.argilla.foreign_suggestions = "keep"
    kept = run(world)
    assert kept.outcome == "promoted"
    assert kept.figures.log.written.foreign == 3
    now = {record.id: record for record in world.pending()}
    assert {name: now[name].suggestion.agent for name in suggested} == suggested
    assert len({record.metadata["priority"] for record in now.values()}) == len(now) == 10

    world.config.argilla.foreign_suggestions = "replace"
    replaced = run(world)
    assert replaced.outcome == "refreshed"
    training, held_out = world.waiting()
    assert replaced.figures.log.written.suggested == len(suggested.keys() & {r.id for r in training}) > 0
    assert replaced.figures.log.written.withdrawn == len(suggested.keys() & {r.id for r in held_out}) > 0
    assert {r.suggestion and r.suggestion.agent for r in training} == {kept.champion}


def test_a_second_round_says_that_one_is_running(make_world: MakeWorld, caplog: pytest.LogCaptureFixture) -> None:
    from flows.active_learning import active_learning

    world = make_world(sentences(3))
    with world.store.lock("another round"), caplog.at_level(logging.ERROR):
        state = active_learning(world.config, return_state=True)
    assert state.is_failed()
    assert "another round" in str(state.message)
    with pytest.raises(RoundInProgress, match="another round"):
        state.result()
    assert "Traceback" not in caplog.text
    assert world.store.names("rounds") == []


def test_a_zombie_writes_nothing(make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    from spanloop.rounds import suggestions

    world = make_world(sentences(3))
    before, find_dataset = world.state(), suggestions.find_dataset

    def lose_the_store(*args: Any) -> Any:
        (world.store.root / "locks" / "round.lock").unlink()
        take = f"from spanloop.store import Store\nwith Store({str(world.store.root)!r}).lock('the next round'): pass"
        subprocess.run([sys.executable, "-c", take], check=True)
        return find_dataset(*args)

    monkeypatch.setattr(suggestions, "find_dataset", lose_the_store)
    with pytest.raises(StoreError, match="was superseded"):
        run(world)
    assert world.state() == before
    assert world.store.names("rounds") == []


def test_an_expected_error_is_one_line(make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world(sentences(3))
    monkeypatch.setenv("ARGILLA_API_KEY", "wrong-key")
    with pytest.raises(ArgillaUnauthorized, match="does not know this API key") as error:
        run(world)
    assert "\n" not in str(error.value)
    assert "wrong-key" not in str(error.value)
    assert not world.store.names("snapshots")


def test_the_key_comes_from_a_secret_block_and_is_seen_nowhere(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prefect.blocks.system import Secret

    world = make_world(sentences(3))
    key = os.environ["ARGILLA_API_KEY"]
    monkeypatch.delenv("ARGILLA_API_KEY")
    world.config.argilla.api_key_block = "no-such-block"
    with pytest.raises(ConfigError, match="there is no Prefect Secret block 'no-such-block'"):
        run(world)
    Secret(value=key).save("argilla-key", overwrite=True)
    world.config.argilla.api_key_block = "argilla-key"
    report = run(world)
    assert report.outcome == "waiting"

    time.sleep(3)  # logs reach the server in batches
    seen = [prefect_api(path) for path in ("flow_runs", "task_runs", "logs", "artifacts")]
    assert report.round in str(seen)
    assert key not in str(seen)
    files = [path.read_bytes() for path in Path(world.config.store).rglob("*") if path.is_file()]
    assert not any(key.encode() in content for content in files)
