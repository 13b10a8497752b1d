"""What goes into Argilla's records and in which form: new records, people's responses, suggestions.

Nothing else in spanloop builds what Argilla stores of a record. What people own is created and never replaced; what
is ours is replaced on records that are there, and they are named by the server's own id, so that none is made anew.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from spanloop.argilla.client import ArgillaClient
from spanloop.argilla.dataset import DatasetRef
from spanloop.argilla.offsets import PageOffsets, from_field, to_field
from spanloop.argilla.pull import in_bulks, look_up
from spanloop.records import Record, ResponseStatus, ScoredSpan, Span, Suggestion

IMPORT_AGENT = "import"  # suggests what somebody annotated elsewhere

Json = dict[str, Any]
What = TypeVar("What")


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A record that is not in Argilla yet.

    Attributes:
        id: Its stable id.
        text: Its text.
        metadata: Its metadata.
        response: Spans that the client's own user submits with it; None: no response.
        suggestion: What is suggested for it; None: nothing.
    """

    id: str
    text: str
    metadata: dict[str, object]
    response: Sequence[Span] | None = None
    suggestion: Suggestion | None = None


@dataclass(frozen=True, slots=True)
class RecordChange:
    """What is to change on a record.

    Attributes:
        item: The record as `look_up` finds it.
        suggestion: Takes the place of the one that is there; None leaves that.
        metadata: Takes the place of all metadata that is there; None leaves that.
        withdraws: The suggestion that is there is taken away.
    """

    item: Json
    suggestion: Suggestion | None = None
    metadata: dict[str, object] | None = None
    withdraws: bool = False


def create_records(client: ArgillaClient, dataset: DatasetRef, records: Iterable[NewRecord]) -> None:
    """Create records, with their responses in the same stroke; one that is there by now stays as it is.

    Args:
        client: The connection.
        dataset: Where they go.
        records: At most a bulk of `in_bulks`.

    Raises:
        ArgillaError: Argilla refused one of them; then it has none of them.
    """
    records = list(records)
    user = str(client.sdk.me.id) if any(record.response is not None for record in records) else ""
    create_items(client, dataset, {record.id: _new(record, dataset, user) for record in records})


def create_items(client: ArgillaClient, dataset: DatasetRef, items: Mapping[str, Json]) -> None:
    """Create records as Argilla takes them; one that is there by now stays as it is.

    Args:
        client: The connection.
        dataset: Where they go.
        items: At most a bulk of `in_bulks`, by their external ids.

    Raises:
        ArgillaError: Argilla refused one of them; then it has none of them.
    """
    left = dict(items)
    while left:
        for name in _create(client, dataset, left):
            del left[name]


def submit_response(
    client: ArgillaClient,
    dataset: DatasetRef,
    record: Record,
    spans: Iterable[Span],
    status: ResponseStatus = "submitted",
) -> bool:
    """Answer a record as the client's own user, unless that user has answered it in the meantime.

    Args:
        client: The connection.
        dataset: Where the record lies.
        record: The record.
        spans: Spans in code points of its text.
        status: `submitted`, or `draft` or `discarded`.

    Returns:
        Whether the record is answered; False: it is gone.
    """
    body = {"status": status, "values": _response_values(record.text, spans, dataset)}
    path = f"records/{record.server_id}/responses"
    return client.unless_overtaken(
        lambda: client.once(lambda: client.post(path, body), lambda: _mine(client, dataset, record)),
        lambda: look_up(client, dataset, [record.id]).get(record.id, {}).get("id") != record.server_id,
    )


def count_anew(client: ArgillaClient, dataset: DatasetRef, records: Iterable[Record]) -> None:
    """Have Argilla count the responses of records: those of a user that was deleted went, and their status stayed.

    Nothing else of them changes; where one is deleted meanwhile, its bulk is left to the next round.
    """
    for _, there in in_bulks(client, dataset, records, lambda record: record.id):
        items = [{"id": item["id"]} for item in there.values()]
        write = partial(client.put, f"datasets/{dataset.id}/records/bulk", {"items": items})
        client.unless_overtaken(write, partial(_is_one_gone, client, dataset, list(there)))


def _is_one_gone(client: ArgillaClient, dataset: DatasetRef, ids: list[str]) -> bool:
    return len(look_up(client, dataset, ids)) < len(ids)


def put_decided(
    client: ArgillaClient,
    dataset: DatasetRef,
    ids: Sequence[str],
    there: Mapping[str, Json],
    decide: Callable[[Mapping[str, Json]], list[tuple[What, RecordChange | None]]],
) -> list[What]:
    """Put what is decided of records as they are; where they change in between, look at them and decide anew.

    Args:
        client: The connection.
        dataset: Where the records lie.
        ids: The records of a bulk of `in_bulks`.
        there: Those of them that are there, as `look_up` finds them.
        decide: From the records that are there to what becomes of each, and what to change on it.

    Returns:
        What became of them.
    """
    decided = decide(there)
    while not put_suggestions(client, dataset, [change for _, change in decided if change]):
        decided = decide(look_up(client, dataset, list(ids)))
    return [outcome for outcome, _ in decided]


def put_suggestions(client: ArgillaClient, dataset: DatasetRef, changes: Iterable[RecordChange]) -> bool:
    """Put suggestions and metadata on records; responses and suggestions of other questions stay untouched.

    Args:
        client: The connection.
        dataset: Where the records lie.
        changes: At most a bulk of `in_bulks`.

    Returns:
        Whether all is written; False: a record was deleted or edited since it was looked up. Then look again: what is
        in place by then needs no second writing.
    """
    changes = list(changes)

    def overtaken() -> bool:
        now = look_up(client, dataset, [change.item["external_id"] or change.item["id"] for change in changes])
        there = {item["id"]: item["fields"] for item in now.values()}
        return any(there.get(change.item["id"]) != change.item["fields"] for change in changes)

    return all(client.unless_overtaken(write, overtaken) for write in _writes(client, dataset, changes))


def _writes(
    client: ArgillaClient, dataset: DatasetRef, changes: Sequence[RecordChange]
) -> Iterator[Callable[[], object]]:
    """The requests that make changes, none of which makes a record: one that names fields names the record in its path.

    A text that spanloop did not import may lack the room that offsets need, which the server checks beforehand.
    """
    for change in changes:
        fields = change.item["fields"]
        if change.suggestion and change.suggestion.spans and (roomy := _roomy(fields, dataset)) != fields:
            yield partial(client.patch, f"records/{change.item['id']}", {"fields": roomy})
    if items := list(filter(None, (_change(change, dataset) for change in changes))):
        yield partial(client.put, f"datasets/{dataset.id}/records/bulk", {"items": items})
    for change in changes:
        if change.withdraws:  # no bulk takes a suggestion away
            ids = [x["id"] for x in change.item["suggestions"] if x["question_id"] == dataset.question_id]
            yield partial(client.delete, f"records/{change.item['id']}/suggestions", ids=",".join(ids))


def _create(client: ArgillaClient, dataset: DatasetRef, records: dict[str, Json]) -> set[str]:
    """Create all of the records or, where some are there already, none; the ids of those that are there then."""
    body = {"items": list(records.values())}

    def find() -> set[str] | None:
        return set(look_up(client, dataset, list(records))) or None

    def make() -> set[str]:
        client.post(f"datasets/{dataset.id}/records/bulk", body)
        return set(records)

    return client.once(make, find)


def _new(record: NewRecord, dataset: DatasetRef, user: str) -> Json:
    item: Json = {
        "external_id": record.id,
        "fields": {dataset.text_field: to_field(record.text)},
        "metadata": record.metadata,
    }
    if record.response is not None:
        values = _response_values(record.text, record.response, dataset)
        item["responses"] = [{"user_id": user, "status": "submitted", "values": values}]
    if record.suggestion is not None:
        item["suggestions"] = [_suggestion(record.text, record.suggestion, dataset)]
    return item


def _change(change: RecordChange, dataset: DatasetRef) -> Json:
    item: Json = {}
    if change.suggestion is not None:
        text = from_field(change.item["fields"].get(dataset.text_field) or "")
        item["suggestions"] = [_suggestion(text, change.suggestion, dataset)]
    if change.metadata is not None:
        item["metadata"] = change.metadata
    return item and {"id": change.item["id"], **item}


def _roomy(fields: Json, dataset: DatasetRef) -> Json:
    """A record's fields with the room that the text's offsets need."""
    return {**fields, dataset.text_field: to_field(from_field(fields[dataset.text_field]))}


def _suggestion(text: str, suggestion: Suggestion, dataset: DatasetRef) -> Json:
    """A model's has one score a span, none where there is no span; what people annotated elsewhere has none."""
    human = suggestion.agent == IMPORT_AGENT
    return {
        "question_id": dataset.question_id,
        "type": "human" if human else "model",
        "agent": suggestion.agent,
        "value": _span_values(text, suggestion.spans, dataset),
        "score": None if human else [span.score for span in suggestion.spans] or None,
    }


def _response_values(text: str, spans: Iterable[Span], dataset: DatasetRef) -> Json:
    return {dataset.question: {"value": _span_values(text, spans, dataset)}}


def _span_values(text: str, spans: Iterable[Span | ScoredSpan], dataset: DatasetRef) -> list[Json]:
    """Spans in code points of the text, as the annotation page counts them, each under the option of its label."""
    offsets = PageOffsets(text)
    pages = ((dataset.meanings.option_of(span.label), *offsets.to_page(span.start, span.end)) for span in spans)
    return [{"label": label, "start": start, "end": end} for label, start, end in pages]


def _mine(client: ArgillaClient, dataset: DatasetRef, record: Record) -> Json | None:
    """The own user's response, where the server did its work before the connection broke."""
    name = {"entity": "record", "property": "external_id"}
    body = {"filters": {"and": [{"type": "terms", "scope": name, "values": [record.id]}]}}
    answer = client.search(f"me/datasets/{dataset.id}/records/search", body, include="responses")
    responses = [response for item in answer["items"] for response in item["record"]["responses"]]
    return responses[0] if responses else None
