"""Suggestion acceptance: what a model version suggested, against what annotators then submitted.

The truest figure of the loop: it needs no test split, comes from real use, and says how much marking the model saved.
It is measured where annotators worked, so on a queue sorted by uncertainty it is lower than on a random one.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from spanloop.annotations.resolve import instant
from spanloop.evaluation.counts import Counts
from spanloop.records import Annotation, Record


@dataclass(frozen=True, slots=True)
class VersionAcceptance:
    """How the suggestions of one model version fared.

    Attributes:
        model: The model version, as stamped on the suggestions.
        n_records: Records submitted after this version suggested spans for them.
        n_unchanged: Of these, the records whose suggestion was submitted as it was.
        n_suggested: Spans it suggested in them.
        n_submitted: Spans that were submitted in them.
        n_kept: Suggested spans that were submitted with the same characters and label.
        precision: Kept share of the suggested spans.
        recall: Share of the submitted spans that had been suggested.
        f1: Harmonic mean of the two.
    """

    model: str
    n_records: int
    n_unchanged: int
    n_suggested: int
    n_submitted: int
    n_kept: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Acceptance by model version, in the order of the versions' names.

    Attributes:
        versions: One entry for each model version that suggested anything on a record submitted since.
        n_records: Records counted, all versions together.
        n_later: Submitted records left out because the suggestion came after a response.
    """

    versions: tuple[VersionAcceptance, ...] = ()
    n_records: int = 0
    n_later: int = 0

    def total(self) -> VersionAcceptance | None:
        """All versions together, their names joined; None where nothing had been suggested."""
        if not self.versions:
            return None
        counts = Counts(*(sum(getattr(v, name) for v in self.versions) for name in _COUNTED))
        records, unchanged = (sum(getattr(v, name) for v in self.versions) for name in ("n_records", "n_unchanged"))
        return _from_counts(", ".join(v.model for v in self.versions), records, unchanged, counts)


_COUNTED = ("n_kept", "n_suggested", "n_submitted")


def acceptance(records: Iterable[Record], annotations: Iterable[Annotation]) -> Acceptance:
    """Compare suggestions with the annotations that followed.

    A record counts if every submitted response whose annotator is in its annotation is newer than its suggestion:
    only then did the annotators have the suggestion before them.

    Args:
        records: Records as pulled, with suggestion and responses.
        annotations: The agreed annotation of each submitted record.

    Returns:
        The figures by model version.
    """
    agreed = {annotation.record_id: annotation for annotation in annotations}
    rows: dict[str, list[tuple[int, int, int]]] = {}
    later = 0
    for record in records:
        annotation, suggestion = agreed.get(record.id), record.suggestion
        if annotation is None or suggestion is None:
            continue
        if not _seen(record, annotation):
            later += 1
            continue
        suggested = {span.span for span in suggestion.spans}
        submitted = set(annotation.spans)
        rows.setdefault(suggestion.agent, []).append((len(suggested & submitted), len(suggested), len(submitted)))
    versions = tuple(_version(model, rows[model]) for model in sorted(rows))
    return Acceptance(versions, sum(version.n_records for version in versions), later)


def _seen(record: Record, annotation: Annotation) -> bool:
    """Whether the suggestion was there before every response that made the annotation."""
    if record.suggestion is None or not record.suggestion.updated_at:
        return False
    written = instant(record.suggestion.updated_at)
    used = [r for r in record.submitted if r.user in annotation.annotators]
    return bool(used) and all(instant(response.updated_at) > written for response in used)


def _version(model: str, rows: list[tuple[int, int, int]]) -> VersionAcceptance:
    counts = Counts(*(sum(column) for column in zip(*rows, strict=True)))
    unchanged = sum(kept == suggested == submitted for kept, suggested, submitted in rows)
    return _from_counts(model, len(rows), unchanged, counts)


def _from_counts(model: str, records: int, unchanged: int, counts: Counts) -> VersionAcceptance:
    return VersionAcceptance(
        model=model,
        n_records=records,
        n_unchanged=unchanged,
        n_suggested=counts.predicted,
        n_submitted=counts.gold,
        n_kept=counts.correct,
        precision=counts.precision,
        recall=counts.recall,
        f1=counts.f1,
    )
