"""What a model of the past found, in the labels that the project has now; what has no label any more is left out."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace

from spanloop.config import TaskConfig
from spanloop.records import ScoredSpan, Statistics
from spanloop.rounds.figures import Relabelling
from spanloop.spans import likeliest


def relabel(spans: Iterable[ScoredSpan], task: TaskConfig) -> tuple[ScoredSpan, ...]:
    """The spans of a model under the project's labels, without those that no label is left for.

    Within a label spans never overlap: where labels became one, the likeliest stays.
    """
    found = tuple(spans)
    meant = [(span, task.meaning_of(span.label)) for span in found]
    if all(label == span.label for span, label in meant):
        return found
    alike = defaultdict[str, list[ScoredSpan]](list)
    for span, label in meant:
        if label:
            alike[label].append(replace(span, label=label))
    return tuple(sorted(span for each in alike.values() for span in likeliest(each)))


def relabel_doubt(statistics: Statistics, task: TaskConfig) -> Statistics:
    """A model's doubts about a record, those about words of a label added up under what it means now."""
    if all(not name or task.meaning_of(name) == name for name in statistics.label_doubt):
        return statistics
    doubts: dict[str, float] = {}
    for name, doubt in statistics.label_doubt.items():
        label = task.meaning_of(name) or ""  # words of no label are outside of all spans
        doubts[label] = doubts.get(label, 0.0) + doubt
    return replace(statistics, label_doubt=doubts)


def relabellings(names: Iterable[str], task: TaskConfig) -> tuple[Relabelling, ...]:
    """Count spans under labels that the project does not have.

    Args:
        names: The label of each span, as annotators or a model gave it.
        task: Labels and mapping.
    """
    counts = Counter(name for name in names if task.meaning_of(name) != name)
    return tuple(
        Relabelling(name=name, label=task.meaning_of(name) or "", spans=counts[name]) for name in sorted(counts)
    )


def unused_labels(model: str, labels: Iterable[str], task: TaskConfig) -> list[str]:
    """What to do about labels of a model of which the configuration says nothing, a sentence each.

    Args:
        model: The model's version.
        labels: Its labels.
        task: Labels and mapping.
    """
    unknown = [name for name in labels if task.meaning_of(name) is None]
    return [f"{model} finds {x!r} too, which is left out; task.mapping: {{{x}: LABEL}} uses it" for x in unknown]


def in_words(found: Iterable[Relabelling]) -> str:
    """`organisation → company (12 spans), thing left out (3 spans)`."""
    return ", ".join(map(str, found))
