"""Labels of the past and those of today: every name has one meaning, and what is written is read as it was meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloop.argilla.meanings import as_shown, meanings_of
from spanloop.config import TaskConfig
from spanloop.errors import LabelError
from spanloop.records import ScoredSpan, Statistics
from spanloop.rounds.relabelling import in_words, relabel, relabel_doubt, relabellings

NAMES = ["person", "human", "place", "city", "thing", "event"]


@st.composite
def tasks(draw: st.DrawFn) -> TaskConfig:
    """Some of the names are labels, some of the others have become one of those or nothing."""
    labels = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    old = draw(st.lists(st.sampled_from([x for x in NAMES if x not in labels] or ["?"]), unique=True))
    return TaskConfig(labels=labels, mapping={name: draw(st.sampled_from([*labels, ""])) for name in old})


options = st.lists(st.sampled_from(NAMES), min_size=1, unique=True)


def shown(values: list[str]) -> list[dict[str, str | None]]:
    return [{"value": value, "text": value, "description": None} for value in values]


@given(tasks(), st.sampled_from(NAMES))
def test_a_meaning_is_a_label_of_today_or_nothing_and_means_itself(task: TaskConfig, name: str) -> None:
    meaning = task.meaning_of(name)
    assert meaning in {*task.labels, "", None}
    assert not meaning or task.meaning_of(meaning) == meaning
    assert (meaning is None) == (name not in task.labels and name not in task.mapping)


@given(tasks(), options)
def test_what_is_written_is_read_as_it_was_meant(task: TaskConfig, there: list[str]) -> None:
    meanings, differences = meanings_of(there, task)
    for label in set(task.labels) - set(differences.labels):
        option = meanings.option_of(label)
        assert option in there
        assert meanings.label_of(option) == label
        assert meanings.is_current(option)
        assert option == label or label not in there
    assert set(differences.options) == {x for x in there if task.meaning_of(x) is None}
    assert not set(differences.labels) & {task.meaning_of(x) for x in there}


@given(tasks(), options)
def test_annotators_see_every_option_once_and_following_twice_changes_nothing(
    task: TaskConfig, there: list[str]
) -> None:
    _, differences = meanings_of(there, task)
    if differences != type(differences)():
        with pytest.raises(LabelError, match=r"task\.labels differ from dataset 'x'"):
            differences.refuse("x")
        return
    first = as_shown(shown(there), task)
    assert sorted(option["value"] for option in first) == sorted(there)
    assert [option["text"] for option in first][: len(task.labels)] == task.labels
    assert as_shown(first, task) == first
    if set(there) == set(NAMES):
        assert as_shown(first, TaskConfig(labels=there)) == shown(there)


def test_options_that_are_used_no_more_stand_last_and_say_so() -> None:
    task = TaskConfig(labels=["place", "human"], mapping={"person": "human", "city": "place", "thing": ""})
    found = as_shown(shown(["person", "city", "thing", "place"]), task)
    assert [(option["value"], option["text"]) for option in found] == [
        ("place", "place"),
        ("person", "human"),
        ("city", "city → place"),
        ("thing", "thing (not used)"),
    ]


def test_a_text_that_somebody_gave_an_option_stays() -> None:
    options = [{"value": "person", "text": "A person", "description": "Anybody"}]
    assert as_shown(options, TaskConfig(labels=["person"])) == options


@pytest.mark.parametrize(
    ("mapping", "problem"),
    [
        ({"person": ""}, "'person' is in labels too"),
        ({"human": "man"}, "'human' leads to 'man', which is not in labels"),
    ],
)
def test_a_mapping_that_leads_nowhere_is_refused(mapping: dict[str, str], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        TaskConfig(labels=["person", "place"], mapping=mapping)


def test_the_ways_out_of_a_difference() -> None:
    _, differences = meanings_of(["person", "thing"], TaskConfig(labels=["human", "event"]))
    assert differences.ways() == [
        "what 'person' became says task.mapping: {person: human}, or {person: ''} to leave its spans out",
        "what 'thing' became says task.mapping: {thing: human}, or {thing: ''} to leave its spans out",
        "an option for 'human' comes by 'spanloop labels move NEW_DATASET'",
        "an option for 'event' comes by 'spanloop labels move NEW_DATASET'",
    ]


def test_spans_of_labels_that_became_one_never_overlap() -> None:
    task = TaskConfig(labels=["place"], mapping={"city": "place", "land": "place"})
    spans = [ScoredSpan(0, 9, "city", 0.4), ScoredSpan(0, 4, "land", 0.6), ScoredSpan(5, 9, "city", 0.5)]
    assert relabel(spans, task) == (ScoredSpan(0, 4, "place", 0.6), ScoredSpan(5, 9, "place", 0.5))


def test_a_model_of_the_past_speaks_of_todays_labels() -> None:
    task = TaskConfig(labels=["human", "place"], mapping={"person": "human", "thing": ""})
    spans = [ScoredSpan(i, i + 1, name, 0.5) for i, name in enumerate(["person", "place", "thing", "event"])]
    assert [(span.start, span.label) for span in relabel(spans, task)] == [(0, "human"), (1, "place")]
    found = relabellings((span.label for span in spans), task)
    assert in_words(found) == "event left out (1 spans), person → human (1 spans), thing left out (1 spans)"
    doubts = {"": 1.0, "person": 2.0, "human": 4.0, "thing": 8.0, "event": 16.0, "place": 32.0}
    told = Statistics(1, 0, 0, 0, 0, 0, label_doubt=doubts)
    assert relabel_doubt(told, task).label_doubt == {"": 25.0, "human": 6.0, "place": 32.0}
