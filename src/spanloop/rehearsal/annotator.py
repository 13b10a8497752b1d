"""A simulated annotator, for demonstrations, tests and benchmarks: never for real data.

It works as a browser does, through the same REST endpoints with an annotator's account: it takes the first page of its
queue in the order of priority, and submits one record after the other. It answers with the spans of a held-back file,
or with mistakes of the kinds that people make (`mistakes`). Its accounts are called `simulated-annotator-1`, ….
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from spanloop.argilla.client import ArgillaClient
from spanloop.argilla.convert import to_record
from spanloop.argilla.dataset import DatasetRef
from spanloop.argilla.sending import submit_response
from spanloop.argilla.shape import PRIORITY
from spanloop.argilla.users import annotator_key
from spanloop.records import Record, Span
from spanloop.rehearsal.mistakes import Habits

PREFIX = "simulated-annotator-"
_PAGE = 50
_NONE = Habits()


@dataclass(frozen=True, slots=True)
class Simulated:
    """What a simulated annotator did.

    Attributes:
        submitted: Records it submitted.
        without_gold: Records it met in its queue and left, since the held-back file lacks them.
    """

    submitted: int
    without_gold: int


class SimulatedAnnotator:
    """One simulated annotator at work on one dataset."""

    def __init__(
        self,
        client: ArgillaClient,
        dataset: DatasetRef,
        gold: Mapping[str, Sequence[Span]],
        habits: Habits = _NONE,
    ) -> None:
        """Sit down at the queue.

        Args:
            client: A connection with the annotator's own key.
            dataset: What is annotated.
            gold: The right spans by record id, in code points.
            habits: How it errs; by default not at all.
        """
        self._client = client
        self._dataset = dataset
        self._gold = gold
        self._habits = habits
        self._name = client.sdk.me.username

    def annotate(self, count: int, progress: Callable[[int], None] | None = None) -> Simulated:
        """Take records from the top of the queue and submit them, until `count` are submitted or the queue is empty.

        Args:
            count: How many records to submit.
            progress: Told 1 after each record.
        """
        submitted, left = 0, 0
        while submitted < count:
            page = self._queue(offset=left)
            for record in page:
                if submitted == count:
                    break
                if record.id not in self._gold:
                    left += 1
                    continue
                self._submit(record)
                submitted += 1
                if progress:
                    progress(1)
            if len(page) < _PAGE:
                break
        return Simulated(submitted, left)

    def _queue(self, offset: int) -> list[Record]:
        """A page of the pending queue, with the very request that the annotation page sends for our link."""
        body = {
            "query": {},
            "filters": {
                "and": [
                    {"type": "terms", "scope": {"entity": entity, "property": "status"}, "values": ["pending"]}
                    for entity in ("response", "record")
                ]
            },
            "sort": [{"scope": {"entity": "metadata", "metadata_property": PRIORITY}, "order": "desc"}],
        }
        path = f"me/datasets/{self._dataset.id}/records/search"
        answer = self._client.search(path, body, include="responses,suggestions", limit=_PAGE, offset=offset)
        return [to_record(item["record"], self._dataset) for item in answer["items"]]

    def _submit(self, record: Record) -> None:
        answer = self._habits.answer(self._name, record, self._gold[record.id], self._dataset.labels)
        submit_response(self._client, self._dataset, record, answer)


def simulated_annotators(owner: ArgillaClient, dataset: DatasetRef, count: int) -> list[ArgillaClient]:
    """Connections of `simulated-annotator-1` … `-count`, whose accounts are created in the workspace where missing.

    Args:
        owner: A connection of the owner; only the owner may create accounts.
        dataset: Its workspace gets the accounts.
        count: How many annotators.

    Raises:
        ArgillaUnauthorized: The key is not the owner's.
        ArgillaError: An account of that name exists and is no annotator's.
    """
    names = [f"{PREFIX}{number}" for number in range(1, count + 1)]
    return [owner.with_key(annotator_key(owner, dataset, name)) for name in names]
