"""How well annotators agree: pairwise exact-span F1, Krippendorff's alpha for each label, the most disputed records."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from spanloop.records import Record, Span
from spanloop.spans import tidy_spans, touched_words
from spanloop.words import split_words

_MOST_DISPUTED = 20
_QUOTED = 60  # characters of a span that are shown


@dataclass(frozen=True, slots=True)
class AgreementReport:
    """Agreement over the records that at least two annotators submitted.

    Attributes:
        records: How many such records there are.
        annotators: How many people submitted at least one of them.
        pairwise_f1: Exact-span F1 over all pairs of annotators of a record, spans of all records counted together;
            None without such records, or without any span in them.
        alpha: By label, Krippendorff's alpha of the question "is this word part of a span of the label?"; None where
            it is undefined, because all words have the same answer.
        most_disputed: Records on which annotators agree least, worst first: id and mean pairwise F1, below 1.
    """

    records: int = 0
    annotators: int = 0
    pairwise_f1: float | None = None
    alpha: dict[str, float | None] = field(default_factory=dict)
    most_disputed: list[tuple[str, float]] = field(default_factory=list)


def agreement(records: Iterable[Record], *, most_disputed: int = _MOST_DISPUTED) -> AgreementReport:
    """Measure the agreement of annotators.

    Args:
        records: Any records; those with fewer than two submitted responses are passed over.
        most_disputed: How many disputed records to name.

    Returns:
        The figures.
    """
    shared = both = marked = 0
    people: set[str] = set()
    disputed: list[tuple[float, str]] = []
    tables: dict[str, Counter[tuple[int, int]]] = {}
    all_words: Counter[int] = Counter()
    for record in records:
        if len(record.submitted) < 2:
            continue
        answers = span_sets(record)
        shared += 1
        people.update(response.user for response in record.submitted)
        both += sum(2 * len(a & b) for a, b in combinations(answers, 2))
        marked += sum(len(a) + len(b) for a, b in combinations(answers, 2))
        if (f1 := mean_pairwise_f1(answers)) < 1:
            disputed.append((f1, record.id))
        _count_words(record.text, answers, tables, all_words)
    return AgreementReport(
        records=shared,
        annotators=len(people),
        pairwise_f1=both / marked if marked else None,
        alpha={label: _binary_alpha(tables[label], all_words) for label in sorted(tables)},
        most_disputed=[(record_id, f1) for f1, record_id in sorted(disputed)[:most_disputed]],
    )


def span_sets(record: Record) -> list[set[Span]]:
    """The spans that each annotator of a record submitted, tidied, without duplicates."""
    return [set(tidy_spans(record.text, response.spans)[0]) for response in record.submitted]


def mean_pairwise_f1(answers: Sequence[set[Span]]) -> float:
    """Average the exact-span F1 of every pair of annotators; two empty answers agree fully.

    Exact-span F1 stands in for kappa, which needs a number of negatives that spans do not have
    (Hripcsak and Rothschild, "Agreement, the F-measure, and reliability in information retrieval", JAMIA 2005).

    Args:
        answers: The spans of at least two annotators.

    Returns:
        The mean, in 0..1.
    """
    scores = [2 * len(a & b) / (len(a) + len(b)) if a or b else 1.0 for a, b in combinations(answers, 2)]
    return sum(scores) / len(scores)


def _count_words(
    text: str, answers: Sequence[set[Span]], tables: dict[str, Counter[tuple[int, int]]], all_words: Counter[int]
) -> None:
    """Count, by label, the words that k of m annotators marked, k > 0; and all words by m."""
    words = split_words(text)
    all_words[len(answers)] += len(words)
    votes: Counter[tuple[str, int]] = Counter()
    for answer in answers:
        votes.update(_marked_words(words, answer))
    for (label, _), k in votes.items():
        tables.setdefault(label, Counter())[(len(answers), k)] += 1


def _marked_words(words: Sequence[tuple[int, int]], spans: set[Span]) -> set[tuple[str, int]]:
    """Pairs (label, index of a word that shares a character with a span of the label)."""
    marked: set[tuple[str, int]] = set()
    for span in spans:
        marked.update((span.label, i) for i in range(*touched_words(words, span)))
    return marked


def _binary_alpha(table: Counter[tuple[int, int]], all_words: Counter[int]) -> float | None:
    """Alpha from counts of words by (annotators, annotators that marked it); the other words nobody marked.

    Krippendorff, "Computing Krippendorff's Alpha-Reliability", 2011: 1 for full agreement, 0 for what chance gives,
    below 0 for less; None where all words have the same answer.
    """
    disagreement, ones = 0.0, 0
    for (m, k), words in table.items():
        disagreement += words * 2 * k * (m - k) / (m - 1)
        ones += words * k
    n = sum(m * words for m, words in all_words.items())
    expected = 2 * ones * (n - ones)
    return 1 - (n - 1) * disagreement / expected if expected else None


@dataclass(frozen=True, slots=True)
class Dispute:
    """A record on which annotators differ.

    Attributes:
        f1: Mean pairwise exact-span F1 of its annotators.
        users: Its annotators' user ids.
        marked: The spans that some marked and some did not, each with the users who marked it; sorted.
    """

    record_id: str
    f1: float
    text: str
    users: tuple[str, ...]
    marked: tuple[tuple[Span, tuple[str, ...]], ...]


def disputes(records: Iterable[Record], report: AgreementReport) -> list[Dispute]:
    """Open up the records that a report calls the most disputed, worst first."""
    shared = {record.id: record for record in records}
    return [_dispute(shared[record_id], f1) for record_id, f1 in report.most_disputed]


def quote(text: str, span: Span) -> str:
    """The marked characters on one line, the middle left out of long ones."""
    words = " ".join(text[span.start : span.end].split())
    return words if len(words) <= _QUOTED else f"{words[: _QUOTED // 2]} … {words[-_QUOTED // 2 :]}"


def _dispute(record: Record, f1: float) -> Dispute:
    users = tuple(response.user for response in record.submitted)
    return Dispute(record.id, f1, record.text, users, tuple(_contested(record, users)))


def _contested(record: Record, users: tuple[str, ...]) -> Iterator[tuple[Span, tuple[str, ...]]]:
    answers = span_sets(record)
    for span in sorted(set().union(*answers)):
        marked = tuple(user for user, answer in zip(users, answers, strict=True) if span in answer)
        if len(marked) < len(users):
            yield span, marked
