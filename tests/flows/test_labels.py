"""The life of a label: what each advice says is done, and the next round works with it."""

import re
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from sentences import sentences
from typer.testing import CliRunner
from world import World, run

from spanloop.argilla import ensure_dataset, find_dataset
from spanloop.argilla.sending import submit_response
from spanloop.cli import app, register
from spanloop.config import LoopConfig
from spanloop.errors import ArgillaError, ConfigError, LabelError, StoreError
from spanloop.records import Span
from spanloop.rehearsal.annotator import simulated_annotators
from spanloop.snapshot import read_examples, read_labels

pytestmark = pytest.mark.usefixtures("prefect_server")
MakeWorld = Callable[..., World]


@pytest.fixture
def annotated(make_world: MakeWorld) -> World:
    """A loop without a model: 30 of 60 records are annotated."""
    world = make_world(sentences(60))
    world.config.training.folds = 0  # trains once instead of three times
    world.annotate(30)
    return world


@pytest.fixture
def trained(annotated: World) -> World:
    """A loop in the middle of its life: a model is in service."""
    assert run(annotated).outcome == "promoted"
    return annotated


def relabel(world: World, labels: list[str], **mapping: str) -> None:
    """Edit the configuration, as its user does; the simulated annotators speak of the new labels from then on."""
    tree = world.config.model_dump()
    tree["task"] |= {"labels": labels, "mapping": mapping}
    world.config = LoopConfig.model_validate(tree)
    task = world.config.task
    for name, spans in world.gold.items():
        meant = ((span, task.meaning_of(span.label)) for span in spans)
        world.gold[name] = tuple(
            span if label is None else replace(span, label=label) for span, label in meant if label != ""
        )


def options(world: World) -> list[tuple[str, str]]:
    (question,) = world.client.get(f"datasets/{world.dataset.id}/questions")["items"]
    return [(option["value"], option["text"]) for option in question["settings"]["options"]]


def raw_suggestions(world: World) -> set[str]:
    """The options under which pending records have suggested spans in Argilla."""
    path = f"datasets/{world.dataset.id}/records/search"
    found = world.client.search(path, {}, include="suggestions,responses", limit=1000)["items"]
    pending = [x["record"] for x in found if not x["record"]["responses"]]
    return {span["label"] for record in pending for x in record["suggestions"] for span in x["value"]}


def raw_answers(world: World, name: str = "") -> dict[tuple[str, str], list[dict[str, Any]]]:
    """The spans of each response in Argilla, by record and user."""
    dataset = name or find_dataset(world.client, world.config).id
    path = f"datasets/{dataset}/records/search"
    found = world.client.search(path, {}, include="responses", limit=1000)["items"]
    return {
        (x["record"]["external_id"], r["user_id"]): (r["values"] or {}).get("entities", {}).get("value", [])
        for x in found
        for r in x["record"]["responses"]
    }


def labels_in_snapshot(world: World, report: Any) -> tuple[list[str], set[str]]:
    path = world.store.path("snapshots", report.figures.snapshot.version)
    return read_labels(path), {span.label for example in read_examples(path, "train") for span in example.spans}


def command(world: World, folder: Path, *words: str) -> tuple[int, str]:
    """`spanloop …` with the configuration as it is."""
    (folder / "spanloop.yaml").write_text(yaml.safe_dump(world.config.model_dump(mode="json")))
    register()
    result = CliRunner().invoke(app, [*words, "--config", str(folder / "spanloop.yaml")])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def test_a_label_is_renamed(trained: World, caplog: pytest.LogCaptureFixture) -> None:
    answers = raw_answers(trained)
    relabel(trained, ["human", "place"])
    with pytest.raises(LabelError, match=r"not in Argilla: human; only in Argilla: person.*\{person: human\}"):
        run(trained)
    relabel(trained, ["human", "place"], person="human")
    report = run(trained)
    assert report.outcome in ("promoted", "kept")
    assert labels_in_snapshot(trained, report) == (["human", "place"], {"human", "place"})
    assert options(trained) == [("person", "human"), ("place", "place")]
    assert raw_suggestions(trained) <= {"person", "place"}
    (figure,) = report.figures.pull.relabelled
    assert (figure.name, figure.label) == ("person", "human")
    assert f"person → human ({figure.spans} spans)" in caplog.text
    (mapped,) = report.figures.evaluate.relabelled  # the champion of the old labels is judged as what it means
    assert (mapped.name, mapped.label) == ("person", "human")
    assert "task.labels was changed since r0001" in caplog.text
    assert report.figures.evaluate.champion.per_label["human"]["support"] > 0
    assert report.figures.evaluate.champion.f1 > 0.5
    assert raw_answers(trained) == answers

    trained.dataset = find_dataset(trained.client, trained.config)
    assert trained.annotate(5) == 5
    assert {s["label"] for spans in raw_answers(trained).values() for s in spans} == {"person", "place"}
    assert run(trained).outcome in ("promoted", "kept")
    assert run(trained).outcome == "nothing new"


def test_two_labels_become_one(trained: World) -> None:
    relabel(trained, ["place"], person="place")
    trained.dataset = find_dataset(trained.client, trained.config)
    report = run(trained)
    assert labels_in_snapshot(trained, report) == (["place"], {"place"})
    assert options(trained) == [("place", "place"), ("person", "person → place")]
    assert raw_suggestions(trained) == {"place"}
    assert run(trained).outcome == "nothing new"


def test_a_label_is_left_out(trained: World, tmp_path: Path) -> None:
    answers = raw_answers(trained)
    relabel(trained, ["person"])
    with pytest.raises(LabelError, match=r"only in Argilla: place\).*\{place: ''\} to leave its spans out"):
        run(trained)
    relabel(trained, ["person"], place="")
    report = run(trained)
    assert labels_in_snapshot(trained, report) == (["person"], {"person"})
    assert options(trained) == [("person", "person"), ("place", "place (not used)")]
    assert raw_suggestions(trained) == {"person"}
    (figure,) = report.figures.pull.relabelled
    assert (figure.name, figure.label, figure.spans > 5) == ("place", "", True)
    said = command(trained, tmp_path, "labels")[1]
    assert re.search(rf"place +left out +{figure.spans}\b.*every label has its option", said, re.DOTALL)
    assert raw_answers(trained) == answers


def test_a_champion_of_other_labels_suggests_only_those_of_today(trained: World) -> None:
    """No challenger comes: the model that knows both labels stays in service."""
    trained.config.round.min_train = 1000
    champion = trained.store.champion()
    relabel(trained, ["human"], person="human", place="")
    report = run(trained)
    assert (report.outcome, report.champion) == ("waiting", champion)
    assert report.figures.score.scored == 0  # what it said of the texts holds, under other names
    assert {x.name: x.label for x in report.figures.score.relabelled} == {"person": "human", "place": ""}
    trained.dataset = find_dataset(trained.client, trained.config)
    training, _ = trained.waiting()
    assert {s.label for r in training if r.suggestion for s in r.suggestion.spans} == {"human"}
    assert raw_suggestions(trained) == {"person"}
    assert all(record.suggestion and record.suggestion.current for record in training)


def test_a_label_is_renamed_once_more(trained: World, tmp_path: Path) -> None:
    relabel(trained, ["human", "place"], person="human")
    assert run(trained).outcome in ("promoted", "kept")
    trained.store.set_champion(trained.store.names("models")[-1])  # a model that calls them human
    relabel(trained, ["folk", "place"], person="folk")
    code, said = command(trained, tmp_path, "labels")
    assert (code, "finds 'human' too, which is left out; task.mapping: {human: LABEL} uses it" in said) == (0, True)
    relabel(trained, ["folk", "place"], person="folk", human="folk")
    assert "finds 'human'" not in command(trained, tmp_path, "labels")[1]
    report = run(trained)
    assert options(trained) == [("person", "folk"), ("place", "place")]
    assert {x.name: x.label for x in report.figures.evaluate.relabelled} == {"human": "folk"}
    assert report.figures.evaluate.champion.f1 > 0.5


def test_labels_change_their_order(trained: World) -> None:
    relabel(trained, ["place", "person"])
    report = run(trained)
    assert report.outcome in ("promoted", "kept")
    assert labels_in_snapshot(trained, report)[0] == ["place", "person"]
    assert options(trained) == [("place", "place"), ("person", "person")]


def test_a_label_more_moves_the_project_to_a_new_dataset(trained: World, tmp_path: Path) -> None:
    first, second, third = simulated_annotators(trained.client, trained.dataset, 3)
    answered, pending = [x for x in trained.records().values() if x.responses], trained.pending()
    with first, second, third:  # of two people now the one, now the other is the latest, which is what counts
        submit_response(second, trained.dataset, answered[0], [Span(0, 1, "person")])
        submit_response(third, trained.dataset, answered[0], [], "draft")
        submit_response(third, trained.dataset, answered[1], [], "discarded")
        submit_response(second, trained.dataset, pending[0], [Span(0, 2, "place")])
        submit_response(first, trained.dataset, pending[0], [Span(0, 1, "person")])
    old, before = trained.dataset, (raw_answers(trained), trained.state())
    relabel(trained, ["human", "place", "event"], person="human")
    with pytest.raises(LabelError, match=r"not in Argilla: event.*'event' comes by 'spanloop labels move NEW_DATASET'"):
        run(trained)
    code, said = command(trained, tmp_path, "labels")
    assert (code, "none yet" in said, "'spanloop labels move NEW_DATASET'" in said) == (0, True, True)

    code, said = command(trained, tmp_path, "labels", "move", f"{old.name}-2")
    assert code == 0
    assert f"60 records with {len(before[0])} responses" in said
    assert "(60 created now)" in said
    assert f"'dataset: {old.name}-2'" in said
    assert "(0 created now)" in command(trained, tmp_path, "labels", "move", f"{old.name}-2")[1]
    assert (raw_answers(trained, old.id), options(trained)) == (before[0], [("person", "person"), ("place", "place")])

    trained.config.argilla.dataset = f"{old.name}-2"
    trained.dataset = find_dataset(trained.client, trained.config)
    assert options(trained) == [("human", "human"), ("place", "place"), ("event", "event")]
    named = {"person": "human", "place": "place"}
    assert raw_answers(trained) == {
        key: [{**span, "label": named[span["label"]]} for span in spans] for key, spans in before[0].items()
    }
    assert {name: state[1:] for name, state in trained.state().items()} == {k: v[1:] for k, v in before[1].items()}
    trained.answer(trained.pending()[0], "submitted", (Span(0, 3, "event"),))
    with pytest.raises(StoreError, match="move the store to it by 'spanloop adopt'"):
        run(trained)
    assert "'spanloop adopt'" in said
    assert command(trained, tmp_path, "adopt")[0] == 0
    report = run(trained)
    assert report.outcome in ("promoted", "kept")
    assert labels_in_snapshot(trained, report)[0] == ["human", "place", "event"]
    assert run(trained).outcome == "nothing new"


def test_a_move_goes_on_where_it_was_killed(annotated: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    relabel(annotated, ["person", "place", "event"])
    copying, pull = (import_module(f"spanloop.argilla.{name}") for name in ("copying", "pull"))
    create, calls = copying.create_items, []

    def dying(*given: Any) -> None:
        calls.append(given)
        if len(calls) == 2:
            raise RuntimeError("killed")
        create(*given)

    name = f"{annotated.dataset.name}-2"
    with monkeypatch.context() as patched:
        patched.setattr(pull, "_MOST_IDS", 20)
        patched.setattr(copying, "create_items", dying)
        with pytest.raises(RuntimeError, match="killed"):
            command(annotated, tmp_path, "labels", "move", name)
    code, said = command(annotated, tmp_path, "labels", "move", name)
    assert (code, "60 records" in said, "(40 created now)" in said) == (0, True, True)


def test_a_move_mixes_no_records_and_tells_what_differs(
    annotated: World, tmp_path: Path, make_world: MakeWorld
) -> None:
    other = make_world(sentences(3, seed=7))
    relabel(annotated, ["person", "place"])
    with pytest.raises(ArgillaError, match=r"holds 3 records that .* does not have \(doc/7-0, .*choose a name"):
        command(annotated, tmp_path, "labels", "move", other.dataset.name)
    assert len(other.records()) == 3
    with pytest.raises(ConfigError, match="is the dataset that is to be moved"):
        command(annotated, tmp_path, "labels", "move", annotated.dataset.name)
    before = ["labels", "--config", str(tmp_path / "spanloop.yaml"), "move", annotated.dataset.name]
    assert isinstance(CliRunner().invoke(app, before).exception, ConfigError)  # wherever the option stands
    name = f"{annotated.dataset.name}-2"
    assert command(annotated, tmp_path, "labels", "move", name)[0] == 0
    late = annotated.pending()[0]
    annotated.answer(late, "submitted", (Span(0, 1, "person"),))
    with pytest.raises(ArgillaError, match=rf"1 records of '{name}' are not what .* \({late.id}\).*another new name"):
        command(annotated, tmp_path, "labels", "move", name)
    assert command(annotated, tmp_path, "labels", "move", f"{name}b")[0] == 0


def test_overlaps_are_allowed_later_and_never_forbidden(trained: World) -> None:
    trained.config.task.allow_overlapping = True
    run(trained)
    assert find_dataset(trained.client, trained.config).allow_overlapping
    trained.config.task.allow_overlapping = False
    with pytest.raises(ConfigError, match=r"cannot forbid them later; set task.allow_overlapping to true"):
        ensure_dataset(trained.client, trained.config)
    trained.config.task.allow_overlapping = True
    ensure_dataset(trained.client, trained.config)
    assert run(trained, again=True).outcome == "refreshed"


def test_argilla_refuses_another_option_by_hand(annotated: World) -> None:
    """What the mapping is for: neither the value of an option nor the number of options can be changed in Argilla."""
    (question,) = annotated.client.get(f"datasets/{annotated.dataset.id}/questions")["items"]
    there = question["settings"]["options"]
    more = [*there, {"value": "event", "text": "event"}]
    renamed = [{**there[0], "value": "human"}, *there[1:]]
    for wanted in (more, renamed, there[:1]):
        with pytest.raises(ArgillaError, match="422"):
            annotated.client.patch(f"questions/{question['id']}", {"settings": {"type": "span", "options": wanted}})
    assert options(annotated) == [("person", "person"), ("place", "place")]
