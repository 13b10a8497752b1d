"""What a record costs the annotators, from the times at which their responses came.

Nobody is watched: Argilla keeps when a response was last changed, and the time between two of one person is what the
second record took, unless there was a pause. A pause is a gap far above the person's usual one. What comes almost at
once was submitted in bulk, and shares the gap before it. Whoever needs less than two seconds a record is a script.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import fmean, median

from spanloop.annotations.resolve import instant
from spanloop.records import Record
from spanloop.words import split_words

LEAST = 10  # timed records
_NEWEST = 1000  # responses that count: what a record costs changes with the suggestions
_BULK = 0.5  # seconds between responses that were submitted together
_HUMAN = 2.0  # seconds a record; the demo's simulated annotator needs 0.1 to 1.2
_PAUSE, _SHORT, _LONG = 10, 120, 3600  # times the usual gap; never below two minutes, never above an hour


@dataclass(frozen=True, slots=True)
class Effort:
    """What annotating costs.

    Attributes:
        records: Timed responses: those whose gap to the one before is plausible.
        people: Annotators who gave them.
        record_seconds: Median seconds a response; None where too few are timed, as for the next two.
        word_seconds: Median seconds a word of the text.
        mean_seconds: Mean seconds a response, which a few slow ones lift above the median: what many cost together.
        answers: Submitted responses a record, on average.
        reason: Why there are no times; empty where there are.
    """

    records: int = 0
    people: int = 0
    record_seconds: float | None = None
    word_seconds: float | None = None
    mean_seconds: float | None = None
    answers: float = 1.0
    reason: str = "nobody has submitted anything yet"

    def hours(self, records: int) -> float | None:
        """What so many records will cost all annotators together; None where that is not known."""
        return None if self.mean_seconds is None else records * self.answers * self.mean_seconds / 3600


@dataclass(frozen=True, slots=True)
class _Cost:
    """Seconds that one response took, and seconds a word of its text."""

    record: float
    word: float


@dataclass(frozen=True, slots=True)
class _Answer:
    """One response: when it came, and how many words its text has."""

    at: datetime
    words: int


def effort(records: Iterable[Record]) -> Effort:
    """Time the annotators.

    Args:
        records: Records as pulled, with their responses; submitted and discarded ones are somebody's work, drafts are
            not done yet.

    Returns:
        The figures, or why there are none.
    """
    answers: dict[str, list[_Answer]] = defaultdict(list)
    submitted = answered = 0
    for record in records:
        done = [r for r in record.responses if r.status != "draft"]
        words = len(split_words(record.text)) if done else 0
        for response in done:
            answers[response.user].append(_Answer(instant(response.updated_at), words))
        submitted += len(record.submitted)
        answered += bool(record.submitted)
    if not answered:
        return Effort()
    return _summed([_costs(by) for by in _newest(answers)], submitted / answered)


def _newest(answers: dict[str, list[_Answer]]) -> Iterator[list[_Answer]]:
    """The answers of each person in the order of time, the newest of all."""
    every = sorted(answer.at for by in answers.values() for answer in by)
    since = every[-_NEWEST:][0]
    return (sorted((a for a in by if a.at >= since), key=lambda a: a.at) for by in answers.values())


def _costs(answers: Sequence[_Answer]) -> list[_Cost]:
    """What each response of one person cost, where that is plausible."""
    bulks = _bulks(answers)
    gaps = [(b[0].at - a[-1].at).total_seconds() for a, b in pairwise(bulks)]
    short = [gap for gap in gaps if gap <= _LONG]
    pause = min(max(_PAUSE * median(short), _SHORT), _LONG) if short else 0.0
    costs = []
    for gap, bulk in zip(gaps, bulks[1:], strict=True):
        if gap <= pause:
            words = max(sum(answer.words for answer in bulk), 1)
            costs += [_Cost(gap / len(bulk), gap / words)] * len(bulk)
    return costs


def _bulks(answers: Sequence[_Answer]) -> list[list[_Answer]]:
    bulks: list[list[_Answer]] = []
    for answer in answers:
        if bulks and (answer.at - bulks[-1][-1].at).total_seconds() < _BULK:
            bulks[-1].append(answer)
        else:
            bulks.append([answer])
    return bulks


def _summed(people: Sequence[Sequence[_Cost]], answers: float) -> Effort:
    human = [costs for costs in people if costs and median(cost.record for cost in costs) >= _HUMAN]
    timed = [cost for costs in human for cost in costs]
    if len(timed) < LEAST:
        return Effort(len(timed), len(human), answers=answers, reason=_too_little(len(timed)))
    record, word = median(cost.record for cost in timed), median(cost.word for cost in timed)
    return Effort(len(timed), len(human), record, word, fmean(cost.record for cost in timed), answers, "")


def _too_little(timed: int) -> str:
    if not timed:
        return "no response came a plausible time after another: all at once, as from a script, or after a pause"
    return f"{timed} responses have a plausible time, {LEAST} needed"
