"""From the responses of one or several annotators to the one annotation of a record."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from spanloop.annotations.agreement import mean_pairwise_f1, span_sets
from spanloop.config import AnnotationConfig
from spanloop.errors import DataError
from spanloop.records import Annotation, Record, Response, Span
from spanloop.spans import LostSpan, OverlapPolicy, resolve_overlaps, tidy_spans


@dataclass(frozen=True, slots=True)
class SetAside:
    """A submitted record that can be no part of a data set.

    Attributes:
        record_id: The record.
        reason: What is wrong with it, and the way out.
    """

    record_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Resolution:
    """What the submitted responses amount to.

    Attributes:
        annotations: One for each record with a submitted response, sorted by record id.
        lost: Marked spans that are in no annotation although the strategy asks for them: overlaps, duplicates, empty
            ones, and ones outside of the text.
        moved: Marked spans that are in an annotation with invisible characters trimmed from their edges.
        aside: Submitted records without an annotation.
    """

    annotations: list[Annotation] = field(default_factory=list)
    lost: list[LostSpan] = field(default_factory=list)
    moved: list[LostSpan] = field(default_factory=list)
    aside: list[SetAside] = field(default_factory=list)


def resolve(
    records: Iterable[Record], config: AnnotationConfig, min_submitted: int = 1, *, allow_overlapping: bool = False
) -> Resolution:
    """Agree on one list of spans for each record that enough people submitted.

    A record submitted without spans is a real negative and stays. Drafts and discarded responses are not looked at.

    Args:
        records: Records in any order.
        config: The strategy, and what to do with overlaps and white space.
        min_submitted: Submitted responses that complete a record; with fewer it has no annotation yet.
        allow_overlapping: Spans of different labels may overlap; within a label they never may.

    Returns:
        Annotations, and what did not go into them as it was marked.

    Raises:
        DataError: Spans overlap and the policy is `error`; names the record.
    """
    resolution = Resolution()
    complete = (record for record in records if len(record.submitted) >= max(1, min_submitted))
    for record in sorted(complete, key=lambda record: record.id):
        if not record.text.strip():
            resolution.aside.append(SetAside(record.id, "no text; delete it in Argilla"))
            continue
        used = [latest(record)] if config.strategy == "latest" else list(record.submitted)
        tidied = [tidy_spans(record.text, r.spans, record.id, trim=config.whitespace == "trim") for r in used]
        needed = len(used) // 2 + 1 if config.strategy == "majority" else len(used)
        answers = [spans for spans, _ in tidied]
        spans, lost = _agreed(answers, needed, config.overlaps, record.id, within_labels=allow_overlapping)
        problems = [problem for _, found in tidied for problem in found]
        resolution.lost.extend(sorted([p for p in problems if p.reason != "boundary"] + lost))
        resolution.moved.extend(sorted(p for p in problems if p.reason == "boundary"))
        resolution.annotations.append(
            Annotation(
                record_id=record.id,
                text=record.text,
                group=record.group,
                spans=tuple(spans),
                annotators=tuple(sorted(response.user for response in used)),
                agreement=mean_pairwise_f1(span_sets(record)) if len(record.submitted) > 1 else None,
            )
        )
    return resolution


def latest(record: Record) -> Response:
    """The submitted response that was changed last; of equal ones the one given last, then the last user's.

    Args:
        record: A record with at least one submitted response.

    Raises:
        DataError: A time is not ISO 8601.
    """
    if len(record.submitted) == 1:
        return record.submitted[0]
    return max(record.submitted, key=lambda response: (_changed(response, record), response.user))


def _agreed(
    answers: list[list[Span]], needed: int, policy: OverlapPolicy, record_id: str, *, within_labels: bool
) -> tuple[list[Span], list[LostSpan]]:
    """Spans that at least `needed` annotators marked, made disjoint; and what was lost on the way."""
    if len(answers) == 1:
        return resolve_overlaps(answers[0], policy, record_id, within_labels=within_labels)
    votes: Counter[Span] = Counter()
    lost: list[LostSpan] = []
    for answer in answers:
        marked = Counter(answer)
        votes.update(marked.keys())
        lost.extend(LostSpan(record_id, span, "duplicate") for span, n in marked.items() for _ in range(n - 1))
    agreed = [span for span, n in votes.items() if n >= needed]
    spans, overlapping = resolve_overlaps(agreed, policy, record_id, within_labels=within_labels)
    return spans, lost + overlapping


def instant(stamp: str) -> datetime:
    """An ISO 8601 time stamp; one without a zone is UTC, as Argilla writes them.

    Raises:
        ValueError: It is none.
    """
    found = datetime.fromisoformat(stamp)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _changed(response: Response, record: Record) -> tuple[datetime, datetime]:
    """When a response was changed, and given: Argilla's clock stands still while it takes in copies."""
    try:
        changed = instant(response.updated_at)
        return changed, instant(response.inserted_at) if response.inserted_at else changed
    except ValueError:
        raise DataError(
            f"record {record.id!r}: the response of {response.user} has the time {response.updated_at!r}, which is "
            "not ISO 8601; submit it again in Argilla"
        ) from None
