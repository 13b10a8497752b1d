"""A simulated annotator, for demonstrations, tests and benchmarks: never for real data.

It works as a browser does, through the same REST endpoints with an annotator's account: it takes the first page of its
queue in the order of priority, and submits one record after the other. It answers with the spans of a held-back file,
or, at a given rate, with mistakes of the kinds that people make. Its accounts are called `simulated-annotator-1`, ….
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from spanloop.argilla.client import ArgillaClient
from spanloop.argilla.convert import to_record
from spanloop.argilla.dataset import DatasetRef
from spanloop.argilla.sending import submit_response
from spanloop.argilla.shape import PRIORITY
from spanloop.argilla.users import annotator_key
from spanloop.records import Record, Span

PREFIX = "simulated-annotator-"
_PAGE = 50


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
        *,
        error_rate: float = 0.0,
        seed: int = 0,
    ) -> None:
        """Sit down at the queue.

        Args:
            client: A connection with the annotator's own key.
            dataset: What is annotated.
            gold: The right spans by record id, in code points.
            error_rate: Share of the spans that are answered wrongly, in 0..1.
            seed: Of the mistakes; they depend on seed, user and record alone.
        """
        self._client = client
        self._dataset = dataset
        self._gold = gold
        self._error_rate = error_rate
        self._name = client.sdk.me.username
        self._seed = f"{seed}/{self._name}"

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
        spans = self._gold[record.id]
        if self._error_rate:
            random = Random(f"{self._seed}/{record.id}")  # noqa: S311, chance, not secrecy
            spans = with_mistakes(spans, record.text, self._dataset.labels, self._error_rate, random)
        submit_response(self._client, self._dataset, record, spans)


def with_mistakes(
    spans: Iterable[Span], text: str, labels: Sequence[str], rate: float, random: Random
) -> tuple[Span, ...]:
    """Answer some spans wrongly: overlook one, move an end to another word, or take another label.

    Args:
        spans: The right spans.
        text: The text.
        labels: The labels to choose from.
        rate: Share of the spans answered wrongly.
        random: The source of chance.

    Returns:
        Disjoint spans, sorted.
    """
    wrong: list[Span] = []
    for span in sorted(spans):
        answer: Span | None = span
        if random.random() < rate:
            kinds = [_overlooked, _shortened] + [_mislabelled] * (len(labels) > 1)
            answer = random.choice(kinds)(span, text, labels, random)
        if answer is not None:
            wrong.append(answer)
    return tuple(wrong)


def _overlooked(_span: Span, _text: str, _labels: Sequence[str], _random: Random) -> Span | None:
    return None


def _shortened(span: Span, text: str, _labels: Sequence[str], _random: Random) -> Span | None:
    """Without its last word; overlooked where it has only one."""
    words = text[span.start : span.end].rsplit(None, 1)
    return Span(span.start, span.start + len(words[0]), span.label) if len(words) > 1 else None


def _mislabelled(span: Span, _text: str, labels: Sequence[str], random: Random) -> Span | None:
    return Span(span.start, span.end, random.choice([label for label in labels if label != span.label]))


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
