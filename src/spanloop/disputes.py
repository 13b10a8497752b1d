"""What annotators disagree about, record by record: the reading list of the next meeting about the guidelines."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from spanloop.agreement import AgreementReport, agreement, span_sets
from spanloop.records import Record, Span

_EDGE = 60


@dataclass(frozen=True, slots=True)
class Dispute:
    """A record on which annotators differ.

    Attributes:
        record_id: The record.
        f1: Mean pairwise exact-span F1 of its annotators.
        text: Its text.
        users: Its annotators' user ids.
        marked: The spans that some marked and some did not, each with the users who marked it; sorted.
    """

    record_id: str
    f1: float
    text: str
    users: tuple[str, ...]
    marked: tuple[tuple[Span, tuple[str, ...]], ...]


def disputes(records: Iterable[Record], *, most: int = 20) -> tuple[AgreementReport, list[Dispute]]:
    """Measure agreement and open up the records with the least.

    Args:
        records: Records with their responses; those with fewer than two submitted ones do not count.
        most: Records to open up.

    Returns:
        The figures, and the most disputed records, worst first.
    """
    shared = {record.id: record for record in records if len(record.submitted) > 1}
    report = agreement(shared.values(), most_disputed=most)
    return report, [_dispute(shared[record_id], f1) for record_id, f1 in report.most_disputed]


def quote(text: str, span: Span) -> str:
    """The marked characters on one line, the middle left out of long ones."""
    words = " ".join(text[span.start : span.end].split())
    return words if len(words) <= _EDGE else f"{words[: _EDGE // 2]} … {words[-_EDGE // 2 :]}"


def _dispute(record: Record, f1: float) -> Dispute:
    users = tuple(response.user for response in record.submitted)
    return Dispute(record.id, f1, record.text, users, tuple(_contested(record, users)))


def _contested(record: Record, users: tuple[str, ...]) -> Iterator[tuple[Span, tuple[str, ...]]]:
    answers = span_sets(record)
    for span in sorted(set().union(*answers)):
        marked = tuple(user for user, answer in zip(users, answers, strict=True) if span in answer)
        if len(marked) < len(users):
            yield span, marked
