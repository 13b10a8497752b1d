"""Which labels are likely to be wrong: where a model that never saw a record is sure of something else.

A model of few records differs from annotators far more often than they err, so its probability alone ranks poorly. What
tells is how seldom it differs in this way where they are right. Bayes' rule: the odds that an annotation is wrong at a
place are those that an annotator errs in this way, times how much more often such an answer of the model comes where it
is right than where it is wrong. Both can be counted. Calibrated scores give the odds that a found span is right among
all found spans; the disagreements of one kind are only a part of the wrong ones, and the rarer a kind is, the more it
tells. What it is worth: `docs/lab-notes.md`.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Literal

from spanloop.records import Evidence, ScoredSpan, Span

Kind = Literal["missed", "spurious", "wrong type", "wrong boundary"]

_ERRS: dict[Kind, float] = {"missed": 0.02, "wrong type": 0.0125, "wrong boundary": 0.0125, "spurious": 0.005}
"""Share of spans that people get wrong, by way: they overlook more than they make up."""

_EDGE = 1e-4  # a score of 1 would leave no suspicion


@dataclass(frozen=True, slots=True)
class Mistake:
    """A place where an annotation is likely to be wrong.

    Attributes:
        kind: `missed`: nothing is marked where the model finds a span; `spurious`: the model finds nothing where one is
            marked; `wrong type` or `wrong boundary`: it finds another span than the marked one.
        marked: What is marked there; None where nothing is.
        found: What the model finds there, with its score; None where it finds nothing.
        suspicion: Probability that the annotation is wrong there.
    """

    kind: Kind
    marked: Span | None
    found: ScoredSpan | None
    suspicion: float

    @property
    def start(self) -> int:
        """Where it begins in the text."""
        return min(span.start for span in (self.marked, self.found) if span)


@dataclass(frozen=True, slots=True)
class Suspect:
    """A record whose annotation is likely to be wrong.

    Attributes:
        record_id: The record.
        suspicion: Probability that it is wrong anywhere.
        mistakes: Where, the likeliest first.
    """

    record_id: str
    suspicion: float
    mistakes: tuple[Mistake, ...]


_Difference = tuple[Kind, ScoredSpan | None, ScoredSpan | None]


def find_suspects(evidence: Sequence[Evidence]) -> list[Suspect]:
    """Rank records by the probability that their annotation is wrong.

    Args:
        evidence: That of all records that the same models judged: how often they differ is counted over these.

    Returns:
        The records in which they differ from the annotation, the most suspicious first.
    """
    differences = {e.record_id: _differences(e) for e in evidence}
    counts = Counter(kind for found in differences.values() for kind, *_ in found)
    marked = sum(len(e.marked) for e in evidence)
    found = [
        _suspect(record_id, [_mistake(difference, counts, marked) for difference in there])
        for record_id, there in differences.items()
        if there
    ]
    return sorted(found, key=lambda record: (-record.suspicion, record.record_id))


def _suspect(record_id: str, mistakes: Iterable[Mistake]) -> Suspect:
    worst_first = sorted(mistakes, key=lambda mistake: (-mistake.suspicion, mistake.start))
    return Suspect(record_id, 1 - prod(1 - mistake.suspicion for mistake in worst_first), tuple(worst_first))


def _mistake(difference: _Difference, counts: Counter[Kind], n_marked: int) -> Mistake:
    kind, marked, found = difference
    if found is None:
        assert marked is not None
        telling = (1 - marked.score) * n_marked / counts["spurious"]
    else:
        score = min(max(found.score, _EDGE), 1 - _EDGE)
        n_wrong = sum(counts.values()) - counts["spurious"]
        telling = score / (1 - score) * n_wrong / counts[kind]
    odds = _ERRS[kind] / (1 - sum(_ERRS.values())) * telling
    return Mistake(kind, marked.span if marked else None, found, odds / (1 + odds))


def _differences(evidence: Evidence) -> list[_Difference]:
    """Marked and found spans that are not the same, paired where they overlap, those that share most first."""
    agreed = {span.span for span in evidence.marked} & {span.span for span in evidence.found}
    marked, found = ([s for s in side if s.span not in agreed] for side in (evidence.marked, evidence.found))
    shared = ((_shared(a, b), a, b) for a in marked for b in found)
    pairs: list[_Difference] = []
    for _, a, b in sorted((row for row in shared if row[0] > 0), key=lambda row: (-row[0], row[1:])):
        if a in marked and b in found:
            marked.remove(a)
            found.remove(b)
            pairs.append(("wrong boundary" if a.label == b.label else "wrong type", a, b))
    return [*pairs, *(("spurious", a, None) for a in marked), *(("missed", None, b) for b in found)]


def _shared(a: ScoredSpan, b: ScoredSpan) -> int:
    """Characters that two spans share; none where it is not above 0."""
    return min(a.end, b.end) - max(a.start, b.start)
