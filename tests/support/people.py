"""People at work on one dataset, and what each of them answered: a ledger that Argilla must agree with."""

from collections.abc import Callable
from typing import Any

from world import World

from spanloop.argilla import ArgillaClient
from spanloop.argilla.convert import to_record
from spanloop.argilla.offsets import PageOffsets
from spanloop.argilla.pull import look_up
from spanloop.argilla.sending import submit_response
from spanloop.records import Record, Response, ResponseStatus, Span

Answers = dict[tuple[str, str], Response]


class People:
    """Several accounts that answer, change their minds and take answers back.

    Args:
        world: The loop.
        clients: Their connections.
    """

    def __init__(self, world: World, clients: list[ArgillaClient]) -> None:
        self._world = world
        self._clients = {str(client.get("me")["id"]): client for client in clients}
        self.answers: Answers = {}

    def answer(self, record: Record, who: int, status: ResponseStatus, spans: tuple[Span, ...]) -> None:
        """One of them answers a record, or gives another answer."""
        user, client = list(self._clients.items())[who]
        if (record.id, user) not in self.answers:
            submit_response(client, self._world.dataset, record, spans, status)
        else:
            body = {"status": status, "values": {self._world.dataset.question: {"value": _on_page(record.text, spans)}}}
            client.put(f"responses/{self._response(record, user)}", body)
        self._note(record.id, user)

    def note(self, who: int, answers: dict[str, tuple[Span, ...]]) -> None:
        """One of them answered records by other means: these spans, by record."""
        user, found = list(self._clients)[who], answers_in(self._world.records())
        for record_id, spans in answers.items():
            answer = self.answers[record_id, user] = found[record_id, user]
            assert (answer.status, set(answer.spans)) == ("submitted", set(spans)), answer

    def expect_moved(self, moved: Callable[[tuple[Span, ...]], tuple[Span, ...]]) -> None:
        """The project lies in another dataset by now, with every answer of everybody: as it was, but for its spans.

        Args:
            moved: What became of the spans of an answer.
        """
        found = answers_in(self._world.records())
        before = {key: (x.status, x.answered, moved(x.spans)) for key, x in self.answers.items()}
        assert {key: (x.status, x.answered, x.spans) for key, x in found.items()} == before
        self.answers = found

    def take_back(self, record_id: str, user: str) -> None:
        """One of them deletes the own answer."""
        record = self._world.records()[record_id]
        self._clients[user].delete(f"responses/{self._response(record, user)}")
        del self.answers[record_id, user]

    def forget(self, record_id: str) -> None:
        """A record is deleted, and all answers with it."""
        self.answers = {key: answer for key, answer in self.answers.items() if key[0] != record_id}

    def _response(self, record: Record, user: str) -> str:
        found = look_up(self._world.client, self._world.dataset, [record.id])[record.id]["responses"]
        return str(next(response["id"] for response in found if response["user_id"] == user))

    def _note(self, record_id: str, user: str) -> None:
        found = look_up(self._world.client, self._world.dataset, [record_id])[record_id]
        self.answers[record_id, user] = answers_in({record_id: to_record(found, self._world.dataset)})[record_id, user]


def answers_in(records: dict[str, Record]) -> Answers:
    """Every answer in Argilla, by record and user."""
    return {(record.id, answer.user): answer for record in records.values() for answer in record.responses}


def _on_page(text: str, spans: tuple[Span, ...]) -> list[dict[str, Any]]:
    offsets = PageOffsets(text)
    places = ((span.label, *offsets.to_page(span.start, span.end)) for span in spans)
    return [{"label": label, "start": start, "end": end} for label, start, end in places]
