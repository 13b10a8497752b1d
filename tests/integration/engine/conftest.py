"""A data set with every kind of question and three users, on the real server, for the tests of the search engine."""

import secrets
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

QUESTIONS = {
    "entities": {"type": "span", "field": "text", "options": [{"value": x, "text": x} for x in ("LOC", "PER")]},
    "kind": {"type": "label_selection", "options": [{"value": x, "text": x} for x in "abc"]},
    "tags": {"type": "multi_label_selection", "options": [{"value": x, "text": x} for x in "xyz"]},
    "stars": {"type": "rating", "options": [{"value": x} for x in (1, 2, 3)]},
}
METADATA = {"group": "terms", "n": "integer", "priority": "float"}


class Board:
    """The data set. User 0 is the owner, 1 and 2 are annotators; two submitted responses complete a record."""

    def __init__(self, url: str, api_key: str) -> None:
        self.http = httpx.Client(base_url=f"{url}/api/v1", timeout=60)
        self.keys, self.users = [api_key], []
        self.users.append(self.ask("GET", "/me")["id"])
        name = f"board-{secrets.token_hex(4)}"
        workspace = self.ask("POST", "/workspaces", name=name)["id"]
        for number in (1, 2):
            account = {"username": f"{name}-{number}", "first_name": "x", "password": "password", "role": "annotator"}
            user = self.ask("POST", "/users", **account)
            self.ask("POST", f"/workspaces/{workspace}/users", user_id=user["id"])
            self.users.append(user["id"])
            self.keys.append(user["api_key"])
        distribution = {"strategy": "overlap", "min_submitted": 2}
        made = self.ask("POST", "/datasets", name=name, workspace_id=workspace, distribution=distribution)
        self.path = f"/datasets/{made['id']}"
        self._shape()

    def _shape(self) -> None:
        for field in ("text", "note"):
            self._add("fields", field, settings={"type": "text"}, required=field == "text")
        self.questions = {
            name: self._add("questions", name, settings=shape, required=name == "entities")
            for name, shape in QUESTIONS.items()
        }
        self.metadata = {
            name: self._add("metadata-properties", name, settings={"type": kind}, visible_for_annotators=True)
            for name, kind in METADATA.items()
        }
        self._add("vectors-settings", "v", dimensions=2)
        self.ask("PUT", f"{self.path}/publish")

    def _add(self, what: str, name: str, **body: Any) -> str:
        return self.ask("POST", f"{self.path}/{what}", name=name, title=name, **body)["id"]

    def ask(self, method: str, path: str, user: int = 0, params: dict | None = None, **body: Any) -> Any:
        """Make a request as one of the users; give back the JSON of the answer."""
        headers = {"X-Argilla-Api-Key": self.keys[user]}
        answer = self.http.request(method, path, json=body, params=params, headers=headers)
        assert answer.is_success, f"{answer.status_code} {answer.text} for {body}"
        return answer.json() if answer.content else None

    def log(self, records: list[dict]) -> list[dict]:
        """Log records as r0, r1, …; give them back with what the server added.

        A record has `fields`, and may have `metadata`, `vector`, `suggestions` (with `question` by name) and
        `responses` (with `user` by number, and plain `values`).
        """
        items = [self._item(i, record) for i, record in enumerate(records)]
        made = self.ask("POST", f"{self.path}/records/bulk", items=items)["items"]
        stored = {item["record"]["id"]: item["record"] for item in self.search(limit=1000)[0]}
        made = [stored[item["id"]] for item in made]  # times in the answer to a bulk are off by microseconds
        keep = ("id", "external_id", "status", "inserted_at", "updated_at")
        return [record | {key: item[key] for key in keep} for record, item in zip(records, made, strict=True)]

    def _item(self, number: int, record: dict) -> dict:
        suggestions = [dict(s) for s in record.get("suggestions", ())]
        for suggestion in suggestions:
            suggestion["question_id"] = self.questions[suggestion.pop("question")]
        responses = [
            {"user_id": self.users[r["user"]], "status": r["status"], "values": _wrapped(r["values"])}
            for r in record.get("responses", ())
        ]
        vectors = {"v": record["vector"]} if record.get("vector") else {}
        return {
            "external_id": f"r{number}",
            "fields": record["fields"],
            "metadata": record.get("metadata", {}),
            "suggestions": suggestions,
            "responses": responses,
            "vectors": vectors,
        }

    def respond(self, user: int, record: dict, status: str, **values: Any) -> None:
        """Respond to a record as the annotation page does."""
        item = {"record_id": record["id"], "status": status, "values": _wrapped({"entities": [], **values})}
        (answer,) = self.ask("POST", "/me/responses/bulk", user, items=[item])["items"]
        assert not answer["error"], answer["error"]

    def search(self, user: int | None = None, offset: int = 0, limit: int = 50, **body: Any) -> tuple[list[dict], int]:
        """Search for all, or as a user under `/me/`: the items of a page and the number of all matches."""
        path = f"{self.path}/records/search" if user is None else f"/me{self.path}/records/search"
        page = {"offset": offset, "limit": limit, "include": ["responses", "suggestions"]}
        answer = self.ask("POST", path, user or 0, page, **body)
        return answer["items"], answer["total"]

    def clear(self, records: list[dict]) -> None:
        """Delete records."""
        self.ask("DELETE", f"{self.path}/records", params={"ids": ",".join(record["id"] for record in records)})


def _wrapped(values: dict) -> dict:
    return {name: {"value": value} for name, value in values.items()}


@pytest.fixture(scope="session")
def board(argilla_server) -> Board:
    """The data set of the search engine's tests, empty between tests."""
    return Board(argilla_server.url, argilla_server.api_key)


@pytest.fixture
def empty(board) -> Iterator[Board]:
    """The data set, emptied afterwards."""
    yield board
    if left := [item["record"] for item in board.search()[0]]:
        board.clear(left)
