"""What goes into Argilla's records and in which form: new records, people's responses, suggestions.

Nothing else in spanloop builds what Argilla stores of a record. What people own is created and never replaced; what
is ours is replaced on records that are there, and they are named by the server's own id, so that none is made anew.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spanloop.argilla.client import ArgillaClient
from spanloop.argilla.dataset import DatasetRef
from spanloop.argilla.offsets import PageOffsets, from_field, to_field
from spanloop.argilla.pull import look_up
from spanloop.records import Record, ResponseStatus, ScoredSpan, Span, Suggestion

IMPORT_AGENT = "import"  # suggests what somebody annotated elsewhere

Json = dict[str, Any]


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
) -> None:
    """Answer a record as the client's own user, unless that user has answered it in the meantime.

    Args:
        client: The connection.
        dataset: Where the record lies.
        record: The record.
        spans: Spans in code points of its text.
        status: `submitted`, or `draft` or `discarded`.
    """
    body = {"status": status, "values": _response_values(record.text, spans, dataset)}
    path = f"records/{record.server_id}/responses"
    client.once(lambda: client.post(path, body), lambda: _mine(client, dataset, record))


def put_suggestions(client: ArgillaClient, dataset: DatasetRef, changes: Iterable[RecordChange]) -> None:
    """Put suggestions and metadata on records; responses and suggestions of other questions stay untouched.

    Args:
        client: The connection.
        dataset: Where the records lie.
        changes: At most a bulk of `in_bulks`.
    """
    changes = list(changes)
    room = [_room(change.item, dataset) for change in changes]
    bulk = [_change(change, dataset) for change in changes]
    for items in (list(filter(None, room)), list(filter(None, bulk))):
        if items:
            client.put(f"datasets/{dataset.id}/records/bulk", {"items": items})
    for change in changes:
        if change.withdraws:
            _withdraw(client, dataset, change.item)


def _withdraw(client: ArgillaClient, dataset: DatasetRef, item: Json) -> None:
    """Take our question's suggestion off a record; no bulk can, and one that is gone by then is no error."""
    ids = [x["id"] for x in item["suggestions"] if x["question_id"] == dataset.question_id]
    client.delete(f"records/{item['id']}/suggestions", ids=",".join(ids))


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
        text = from_field(change.item["fields"][dataset.text_field])
        item["suggestions"] = [_suggestion(text, change.suggestion, dataset)]
    if change.metadata is not None:
        item["metadata"] = change.metadata
    return item and {"id": change.item["id"], **item}


def _room(item: Json, dataset: DatasetRef) -> Json:
    """Give a record that spanloop did not import the room that its offsets need: the server checks them before."""
    field = item["fields"][dataset.text_field]
    wanted = to_field(from_field(field))
    return {} if wanted == field else {"id": item["id"], "fields": {**item["fields"], dataset.text_field: wanted}}


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
