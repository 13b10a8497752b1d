"""What judges models is annotated blind: no held-out record shows what a model makes of it."""

from collections.abc import Callable

import pytest
from sentences import sentences
from world import World, run

from spanloop.rehearsal.annotator import SimulatedAnnotator, simulated_annotators
from spanloop.rehearsal.mistakes import Habits

pytestmark = pytest.mark.usefixtures("prefect_server")
MakeWorld = Callable[..., World]


def test_held_out_records_show_no_guess_of_a_model(make_world: MakeWorld) -> None:
    world = make_world(sentences(80))
    run(world)
    world.annotate(40)
    report = run(world)
    assert report.outcome == "promoted"

    training, held_out = world.waiting()
    assert len(held_out) >= 5
    assert {record.suggestion and record.suggestion.agent for record in training} == {report.champion}
    assert all({"priority", "uncertainty", "model_version"} <= record.metadata.keys() for record in training)
    assert [record.suggestion for record in held_out] == [None] * len(held_out)
    assert {frozenset(record.metadata) for record in held_out} == {frozenset({"group", "split", "priority"})}
    figures = report.figures
    assert (figures.score.scored, figures.score.blind) == (len(training), len(held_out))
    assert figures.log.written.suggested == len(training)

    state = world.state()
    assert run(world).outcome == "nothing new"
    assert run(world, again=True).figures.log.written.unchanged == len(training) + len(held_out)
    assert world.state() == state


def test_suggestions_of_an_earlier_version_are_taken_away(make_world: MakeWorld) -> None:
    world = make_world(sentences(80))
    world.config.task.blind_held_out = False
    run(world)
    world.annotate(40)
    shown = run(world)
    assert shown.outcome == "promoted"
    _, held_out = world.waiting()
    drafted, submitted, *others = held_out
    world.answer(drafted, "draft", world.gold[drafted.id][:1])
    world.answer(submitted, "submitted", world.gold[submitted.id])
    answered = {name: world.records()[name] for name in (drafted.id, submitted.id)}
    before = world.state()

    world.config.task.blind_held_out = True
    world.config.round.min_new = 5  # so that no new model takes part
    report = run(world)
    assert report.figures.log.written.withdrawn == len(others) >= 3
    now = world.records()
    assert [now[record.id].suggestion for record in others] == [None] * len(others)
    assert all({"uncertainty", "model_version"}.isdisjoint(now[record.id].metadata) for record in others)
    assert {name: now[name] for name in answered} == answered
    assert run(world).outcome == "nothing new"

    if report.champion == shown.champion:
        world.config.task.blind_held_out = False
        run(world)
        back = world.state()
        assert {r.id: back[r.id][0] for r in others} == {r.id: before[r.id][0] for r in others}


def test_who_leans_to_suggestions_answers_blind_records_as_they_are(make_world: MakeWorld) -> None:
    """The other records end as the model suggested them, right or wrong."""
    world = make_world(sentences(80))
    run(world)
    world.annotate(40)
    world.config.training.num_train_epochs, world.config.training.min_steps = 4, 0  # a model that errs
    assert run(world).outcome == "promoted"
    training, held_out = world.waiting()
    (client,) = simulated_annotators(world.client, world.dataset, 1)
    SimulatedAnnotator(client, world.dataset, world.gold, Habits(anchoring=1.0)).annotate(80)

    now = world.records()
    given = {name: set(record.submitted[0].spans) for name, record in now.items() if record.submitted}
    assert all(given[r.id] == {s.span for s in r.suggestion.spans} for r in training if r.suggestion)
    assert any(given[r.id] != set(world.gold[r.id]) for r in training)
    assert all(given[r.id] == set(world.gold[r.id]) for r in held_out)
