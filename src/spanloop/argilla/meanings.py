"""What the options of a published question mean for the project, and how annotators see them.

Argilla changes neither the value of an option nor their number, but their order and the texts that annotators read. So
a label is renamed, merged or left out by what its option means (`task.mapping`), in both directions at the door; a
label that is new needs a dataset that has an option for it (`spanloop labels move`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from spanloop.argilla.client import ArgillaClient
from spanloop.config import TaskConfig
from spanloop.errors import LabelError

_OURS = " (task.mapping)"  # ends the description of an option whose text follows the configuration

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Meanings:
    """Between the options of a question and the labels of the project; what is not named means itself.

    Attributes:
        labels: The project's label by option; "" for an option whose spans are left out.
        options: The option that a span of a label is written under, by label.
    """

    labels: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)

    def label_of(self, option: str) -> str:
        """The project's label of an option; "" if its spans are left out."""
        return self.labels.get(option, option)

    def option_of(self, label: str) -> str:
        """The option that a span of the project's label is written under."""
        return self.options.get(label, label)

    def is_current(self, option: str) -> bool:
        """Whether a span of this option would be written under it today."""
        return self.option_of(self.label_of(option)) == option


def meanings_of(options: Sequence[str], task: TaskConfig) -> tuple[Meanings, "Differences"]:
    """Read the options of a question by the configuration.

    Of several options of one label the one of its name stands for it, else the first.

    Args:
        options: Their values, in the question's order.
        task: Labels and mapping.

    Returns:
        What is known of them, and what is not.
    """
    known = {option: task.meaning_of(option) for option in options}
    labels = {option: label for option, label in known.items() if label is not None}
    named = {label: option for option, label in reversed(labels.items()) if label}
    chosen = {label: label if label in options else option for label, option in named.items()}
    unnamed = tuple(option for option, label in known.items() if label is None)
    return Meanings(labels, chosen), Differences(unnamed, tuple(x for x in task.labels if x not in chosen))


@dataclass(frozen=True, slots=True)
class Differences:
    """Between the options of a question and the labels of the project.

    Attributes:
        options: Options of which the configuration does not say what they mean.
        labels: Labels of the project without an option.
    """

    options: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    def ways(self, most: int | None = None) -> list[str]:
        """The ways out, a sentence each.

        Args:
            most: How many options and how many labels to speak of; None: all.
        """
        became = (self.labels or ("ANOTHER LABEL",))[0]
        return [
            *(
                f"what {x!r} became says task.mapping: {{{x}: {became}}}, or {{{x}: ''}} to leave its spans out"
                for x in self.options[:most]
            ),
            *(f"an option for {x!r} comes by 'spanloop labels move NEW_DATASET'" for x in self.labels[:most]),
        ]

    def refuse(self, dataset: str) -> None:
        """Stop where there are any.

        Args:
            dataset: Its name.

        Raises:
            LabelError: With the ways out.
        """
        parts = [f"not in Argilla: {', '.join(self.labels)}"] if self.labels else []
        parts += [f"only in Argilla: {', '.join(self.options)}"] if self.options else []
        if parts:
            raise LabelError(
                f"task.labels differ from dataset {dataset!r} ({'; '.join(parts)}); {'; '.join(self.ways(1))}"
            )


def follow_labels(client: ArgillaClient, dataset_id: str, question_id: str, task: TaskConfig) -> None:
    """Show annotators the labels of the configuration, in its order and under its names; send nothing that stays.

    Args:
        client: The connection.
        dataset_id: Argilla's id of the dataset, all of whose options have a meaning.
        question_id: Argilla's id of its span question.
        task: Labels, mapping, and whether spans may overlap, which Argilla can allow later and not forbid.
    """
    questions = client.get(f"datasets/{dataset_id}/questions")["items"]
    there = next(question["settings"] for question in questions if question["id"] == question_id)
    options, overlapping = as_shown(there["options"], task), there["allow_overlapping"] or task.allow_overlapping
    if (options, overlapping) != (there["options"], there["allow_overlapping"]):
        wanted = {"type": "span", "allow_overlapping": overlapping, "options": options}
        client.patch(f"questions/{question_id}", {"settings": wanted})


def as_shown(options: Sequence[Json], task: TaskConfig) -> list[Json]:
    """The options as annotators should see them: labels in the configuration's order, then what is no longer used.

    Args:
        options: As Argilla has them, all of them with a meaning.
        task: Labels and mapping.

    Returns:
        The same values, with texts and descriptions; an option that means itself keeps what somebody gave it.
    """
    meanings, _ = meanings_of([option["value"] for option in options], task)
    there = {option["value"]: option for option in options}
    first = [meanings.option_of(label) for label in task.labels]
    return [_shown(there[value], meanings) for value in [*first, *(x for x in there if x not in first)]]


def _shown(option: Json, meanings: Meanings) -> Json:
    value = option["value"]
    label = meanings.label_of(value)
    if label == value:
        ours = (option.get("description") or "").endswith(_OURS)
        return {"value": value, "text": value, "description": None} if ours else option
    if not label:
        text, said = f"{value} (not used)", "is no longer used"
    elif meanings.is_current(value):
        text, said = label, f"is called {label}"
    else:
        text, said = f"{value} → {label}", f"counts as {label}"
    return {"value": value, "text": text, "description": f"{value} {said}{_OURS}"}
