"""Nested spans through a whole round: marked in Argilla, learnt, suggested again."""

import json
from collections.abc import Callable
from random import Random

import pytest
from sentences import PEOPLE, PLACES, Sentence
from transformers import AutoModelForTokenClassification
from world import World, run

from spanloop.argilla import ensure_dataset
from spanloop.records import ScoredSpan, Span
from spanloop.rounds.holding import take_over
from spanloop.rounds.work import now
from spanloop.snapshot import load_snapshot
from spanloop.spans import have_overlaps

pytestmark = pytest.mark.usefixtures("prefect_server")


def nested_sentences(count: int) -> list[Sentence]:
    """People who are named after a place ("Anna Berg of Paris"), or live in one."""
    random = Random(0)
    made = []
    for number in range(count):
        person, place, nested = random.choice(PEOPLE), random.choice(PLACES), random.random() < 0.6
        name = f"{person} of {place}" if nested else person
        text = f"{name} likes tea." if nested else f"{name} lives in {place}."
        at = text.index(place)
        spans = (Span(0, len(name), "person"), Span(at, at + len(place), "place"))
        made.append(Sentence(f"doc/{number}", f"doc/{number}", text, spans, str(number)))
    return made


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """A loop whose annotators may mark overlapping spans."""
    world = make_world([])
    world.config.task.allow_overlapping = True
    world.dataset = ensure_dataset(world.client, world.config)
    world.add(nested_sentences(90))
    return world


def suggested(world: World) -> dict[str, tuple[ScoredSpan, ...]]:
    return {r.text: r.suggestion.spans for r in world.pending() if r.suggestion}


def test_nested_spans_are_marked_learnt_and_suggested(world: World) -> None:
    world.annotate(70)
    report = run(world)
    assert report.outcome == "promoted"
    assert report.figures.annotations.lost == ()
    assert report.figures.evaluate.challenger.f1 > 0.8
    assert report.figures.evaluate.challenger.seqeval_f1 == pytest.approx(report.figures.evaluate.challenger.f1)

    rows = load_snapshot(world.store, report.figures.snapshot.version)["train"]
    nested = next(row for row in rows if " of " in row["text"])
    assert [span["label"] for span in nested["spans"]] == ["person", "place"]
    names = rows.features["ner_tags"].feature.int2str(nested["ner_tags"])
    assert "I-person" in names
    assert "B-place" not in names  # the flat column holds the longest

    folder = world.store.path("models", report.champion)
    assert json.loads((folder / "spanloop.json").read_text())["overlapping"] is True
    model = AutoModelForTokenClassification.from_pretrained(folder)
    assert list(model.config.id2label.values()) == ["O-person", "B-person", "I-person", "O-place", "B-place", "I-place"]
    assert "cannot read this model" in (folder / "README.md").read_text()

    overlapping = {text: spans for text, spans in suggested(world).items() if have_overlaps(s.span for s in spans)}
    right = {s.text: s.spans for s in nested_sentences(90)}
    assert sum(tuple(s.span for s in spans) == right[text] for text, spans in overlapping.items()) > 3


def test_overlaps_of_one_label_fall_to_the_policy_and_are_named(world: World) -> None:
    first, *_ = world.pending()
    world.annotate(70)
    person, place = world.gold[first.id]
    shorter = Span(person.start, person.end - 1, "person")
    world.answer(first, "submitted", (person, shorter, place))
    report = run(world)
    assert [(lost.record_id, lost.span, lost.reason) for lost in report.figures.annotations.lost] == [
        (first.id, shorter, "overlap")
    ]


def test_a_dataset_without_overlaps_gets_disjoint_suggestions(world: World, make_world: Callable[..., World]) -> None:
    """A store whose model has learnt overlaps is pointed at a dataset that forbids them."""
    world.annotate(70)
    run(world)
    other = make_world([])
    other.config.store = world.config.store
    other.add([s for s in nested_sentences(40) if " of " in s.text])
    take_over(other.store, other.client, other.dataset, now())
    report = run(other)
    assert report.figures.log.written.suggested == sum(r.suggestion is not None for r in other.pending()) > 0
    assert not any(have_overlaps(s.span for s in spans) for spans in suggested(other).values())
