"""Argilla's JSON to records; `sending` goes the other way."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from spanloop.argilla.dataset import DatasetRef
from spanloop.argilla.offsets import PageOffsets, from_field
from spanloop.argilla.shape import GROUP
from spanloop.records import Record, Response, ScoredSpan, Span, Suggestion

Json = dict[str, Any]


def to_record(item: Json, dataset: DatasetRef) -> Record:
    """A record as Argilla returns it, its labels those of the project.

    Args:
        item: JSON of the record, with `responses` and `suggestions`.
        dataset: Where it lies.
    """
    text = from_field(item["fields"].get(dataset.text_field) or "")
    offsets = PageOffsets(text)
    metadata = item.get("metadata") or {}
    name = item.get("external_id") or item["id"]
    return Record(
        id=name,
        text=text,
        group=name if metadata.get(GROUP) in (None, "") else str(metadata[GROUP]),
        server_id=item["id"],
        status=item["status"],
        responses=tuple(_response(x, dataset, offsets) for x in item.get("responses") or ()),
        suggestion=_suggestion(item.get("suggestions") or (), dataset, offsets),
        metadata=metadata,
    )


def _response(item: Json, dataset: DatasetRef, offsets: PageOffsets) -> Response:
    answer = (item.get("values") or {}).get(dataset.question)
    marked = [_span(value, offsets) for value in (answer or {}).get("value") or ()]
    meant = [(span, dataset.meanings.label_of(span.label)) for span in marked]
    return Response(
        user=str(item["user_id"]),
        status=item["status"],
        spans=tuple(replace(span, label=label) for span, label in meant if label),
        updated_at=_utc(item["updated_at"]),
        answered=answer is not None,
        inserted_at=_utc(item["inserted_at"]),
        relabelled=tuple((span, label) for span, label in meant if label != span.label),
    )


def _suggestion(items: Iterable[Json], dataset: DatasetRef, offsets: PageOffsets) -> Suggestion | None:
    for item in items:
        if item["question_id"] == dataset.question_id:
            spans = [_span(value, offsets) for value in item["value"]]
            scores = item.get("score") or [1.0] * len(spans)
            meant = [dataset.meanings.label_of(span.label) for span in spans]
            scored = (
                ScoredSpan(span.start, span.end, label, score)
                for span, label, score in zip(spans, meant, scores, strict=True)
                if label
            )
            current = all(map(dataset.meanings.is_current, (span.label for span in spans)))
            return Suggestion(tuple(scored), item.get("agent") or "", _utc(item["updated_at"]), current)
    return None


def _span(value: Json, offsets: PageOffsets) -> Span:
    return Span(*offsets.from_page(value["start"], value["end"]), value["label"])


def _utc(moment: str) -> str:
    """Argilla's times are UTC and do not say so."""
    return moment if moment.endswith(("Z", "+00:00")) else f"{moment}+00:00"
