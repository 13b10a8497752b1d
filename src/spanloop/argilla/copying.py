"""A dataset's copy with other labels: fields, questions, properties and records are created anew, the old one is read.

Whatever is there already stays as it is, so that a copy that was killed is taken up by making it again.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from spanloop.argilla.client import ArgillaClient
from spanloop.argilla.dataset import DatasetRef
from spanloop.argilla.lease import LEASE
from spanloop.argilla.meanings import Meanings, as_shown
from spanloop.argilla.pull import in_bulks, pull_items
from spanloop.argilla.sending import create_items
from spanloop.config import TaskConfig

_FEWEST_VISIBLE = 3

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Copying:
    """From one dataset to another.

    Attributes:
        client: The connection; its user may create responses of others, as owners may.
        source: The dataset that is copied.
        target: The copy.
        meanings: From the source's options to the labels of the copy.
        questions: The id of each question in the copy, by its id in the source.
    """

    client: ArgillaClient
    source: DatasetRef
    target: DatasetRef
    meanings: Meanings
    questions: dict[str, str]

    @classmethod
    def between(cls, client: ArgillaClient, source: DatasetRef, target: DatasetRef, meanings: Meanings) -> "Copying":
        """Copy from a dataset to one that `copy_parts` made of it."""
        before, after = (_named_questions(client, dataset) for dataset in (source, target))
        return cls(
            client, source, target, meanings, {before[name]: after[name] for name in before.keys() & after.keys()}
        )

    def records(self, progress: Callable[[int], None] | None = None) -> int:
        """Create the records that the copy lacks, with all their responses, suggestions and vectors.

        Args:
            progress: Told the number of records dealt with, after each bulk.

        Returns:
            How many were created.

        Raises:
            ArgillaError: Argilla refused a bulk; those before it are there, and making the copy again goes on.
        """
        created = 0
        for bulk, there in in_bulks(self.client, self.target, self.copies(), itemgetter("external_id")):
            missing = {item["external_id"]: item for item in bulk if item["external_id"] not in there}
            create_items(self.client, self.target, missing)
            created += len(missing)
            if progress:
                progress(len(bulk))
        return created

    def copies(self) -> Iterator[Json]:
        """The source's records as the copy should have them, in their order."""
        return (self.copy_of(item) for item in pull_items(self.client, self.source))

    def present(self) -> Iterator[Json]:
        """The copy's records as they are, in the same form."""
        as_it_is = Copying(self.client, self.target, self.target, Meanings(), {x: x for x in self.questions.values()})
        return as_it_is.copies()

    def copy_of(self, item: Json) -> Json:
        """A record of the source as the copy should have it.

        Responses are in the order in which they were last changed, which `inserted_at` then keeps in the copy.
        """
        responses = sorted(item.get("responses") or (), key=itemgetter("updated_at"))
        suggestions = (x for x in item.get("suggestions") or () if x["question_id"] in self.questions)
        vectors = {name: vector for name, vector in (item.get("vectors") or {}).items() if vector is not None}
        return {
            "external_id": item["external_id"] or item["id"],
            "fields": item["fields"],
            "metadata": item["metadata"] or {},
            "responses": [self._response(response) for response in responses],
            "suggestions": [self._suggestion(suggestion) for suggestion in suggestions],
            **({"vectors": vectors} if vectors else {}),
        }

    def _response(self, response: Json) -> Json:
        values = dict(response["values"] or {})
        if answer := values.get(self.source.question):
            values[self.source.question] = {"value": [span for _, span in self._meant(answer["value"])]}
        return {"user_id": response["user_id"], "status": response["status"], "values": values or None}

    def _suggestion(self, suggestion: Json) -> Json:
        value, score = suggestion["value"], suggestion["score"]
        if suggestion["question_id"] == self.source.question_id:
            meant = list(self._meant(value))
            value = [span for _, span in meant]
            score = [score[place] for place, _ in meant] or None if isinstance(score, list) else score
        kept = {name: suggestion[name] for name in ("type", "agent")}
        return {"question_id": self.questions[suggestion["question_id"]], "value": value, "score": score, **kept}

    def _meant(self, spans: Sequence[Json]) -> Iterator[tuple[int, Json]]:
        """Spans under the labels of the copy, each with the place that it had; without those that are left out."""
        for place, span in enumerate(spans):
            if label := self.meanings.label_of(span["label"]):
                yield place, {"label": label, "start": span["start"], "end": span["end"]}


def copy_parts(client: ArgillaClient, source: DatasetRef, name: str, task: TaskConfig) -> None:
    """Create a dataset like another one, its span question with the labels of the configuration; or what it lacks yet.

    Args:
        client: The connection.
        source: The dataset as it is.
        name: The name of the new one, in the same workspace.
        task: Labels, mapping, and whether spans may overlap.
    """
    old = client.get(f"datasets/{source.id}")
    body = {key: old[key] for key in ("guidelines", "allow_extra_metadata", "distribution", "workspace_id")}
    made = _ensure(client, "me/datasets", "datasets", {"name": name, **body})
    if made["status"] == "ready":
        return
    for kind, keys in _PARTS.items():
        theirs = "me/" if kind == "metadata-properties" else ""
        for part in client.get(f"{theirs}datasets/{source.id}/{kind}")["items"]:
            wanted = {key: part[key] for key in keys}
            if part["id"] == source.question_id:
                wanted["settings"] = _with_labels(part["settings"], task)
            if part["name"] != LEASE:  # a copy belongs to no store yet
                _ensure(client, f"{theirs}datasets/{made['id']}/{kind}", f"datasets/{made['id']}/{kind}", wanted)
    client.once(
        lambda: client.put(f"datasets/{made['id']}/publish"),
        lambda: client.get(f"datasets/{made['id']}")["status"] == "ready" or None,
    )


_PARTS = {
    "fields": ("name", "title", "required", "settings"),
    "questions": ("name", "title", "description", "required", "settings"),
    "metadata-properties": ("name", "title", "settings", "visible_for_annotators"),
    "vectors-settings": ("name", "title", "dimensions"),
}


def _ensure(client: ArgillaClient, listed: str, created: str, body: Json) -> Json:
    """Create a part, or find it."""

    def find() -> Json | None:
        same = (x for x in client.get(listed)["items"] if x["name"] == body["name"])
        return next((x for x in same if x.get("workspace_id") == body.get("workspace_id")), None)

    return find() or client.once(lambda: client.post(created, body), find)


def _with_labels(settings: Json, task: TaskConfig) -> Json:
    """The settings of the span question, an option for each label; one that was there keeps its text."""
    there = {option["value"]: option for option in settings["options"]}
    options = as_shown([there.get(label, {"value": label, "text": label}) for label in task.labels], task)
    visible = min(settings["visible_options"] or len(options), len(options))
    return {
        "type": settings["type"],
        "field": settings["field"],
        "options": options,
        "visible_options": visible if visible >= _FEWEST_VISIBLE else None,
        "allow_overlapping": settings["allow_overlapping"] or task.allow_overlapping,
    }


def _named_questions(client: ArgillaClient, dataset: DatasetRef) -> dict[str, str]:
    return {question["name"]: question["id"] for question in client.get(f"datasets/{dataset.id}/questions")["items"]}
