"""The words of the project as types: spans, responses, suggestions, records, annotations.

Offsets are half-open and count Unicode code points of the record's text, everywhere in spanloop.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

ResponseStatus = Literal["submitted", "draft", "discarded"]
Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Characters `start` (included) to `end` (excluded) of a text carry `label`."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True, order=True)
class ScoredSpan:
    """A predicted span with its calibrated probability `score`, in 0..1."""

    start: int
    end: int
    label: str
    score: float

    @property
    def span(self) -> Span:
        """The span without its score."""
        return Span(self.start, self.end, self.label)


@dataclass(frozen=True, slots=True)
class Response:
    """What one annotator answered for one record.

    Attributes:
        user: The annotator's Argilla user id.
        status: `submitted`, `draft` or `discarded`.
        spans: The marked spans, as answered: unsorted, duplicates and overlaps included; labels are the project's.
        updated_at: When the answer was last changed, ISO 8601 in UTC.
        answered: Whether the span question was answered at all: one that is left out says nothing of the spans, where
            one answered without a span says that there is none.
        inserted_at: When the answer was first given, ISO 8601 in UTC; tells answers apart that were copied at once.
        relabelled: Marked spans whose option means another label, each with that: it is in `spans` under it, or left
            out where it is "".
    """

    user: str
    status: ResponseStatus
    spans: tuple[Span, ...]
    updated_at: str
    answered: bool = True
    inserted_at: str = ""
    relabelled: tuple[tuple[Span, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What a model proposes for one record.

    Attributes:
        spans: The proposed spans; empty means that the model expects none.
        agent: The model version that proposed them.
        updated_at: When it was written, ISO 8601 in UTC; empty for one not yet written.
        current: Whether annotators see it as it would be written today; not where one of its spans has an option that
            stands for another label by now, or for none.
    """

    spans: tuple[ScoredSpan, ...]
    agent: str
    updated_at: str = ""
    current: bool = True


@dataclass(frozen=True, slots=True)
class Record:
    """One text with everything Argilla knows about it.

    Attributes:
        id: The stable id given at import (Argilla's `external_id`).
        text: The text that is annotated.
        group: The document it came from; records of one group never straddle a split.
        server_id: Argilla's own id of the record.
        status: `pending`, or `completed` once enough responses are submitted.
        responses: Every response of every annotator, whatever its status.
        suggestion: The suggestion in place for the span question, if any.
        metadata: The record's metadata as Argilla returns it.
    """

    id: str
    text: str
    group: str
    server_id: str = ""
    status: Literal["pending", "completed"] = "pending"
    responses: tuple[Response, ...] = ()
    suggestion: Suggestion | None = None
    metadata: dict[str, object] = field(default_factory=dict)

    @property
    def waits(self) -> bool:
        """Is it pending, and has nobody answered it in any way?"""
        return self.status == "pending" and not self.responses

    @property
    def submitted(self) -> tuple[Response, ...]:
        """The submitted responses that answer the span question."""
        return tuple(r for r in self.responses if r.status == "submitted" and r.answered)


@dataclass(frozen=True, slots=True)
class Annotation:
    """The one agreed list of spans of a record, resolved from its submitted responses.

    Attributes:
        record_id: The record's id.
        text: The record's text.
        group: The record's group.
        spans: The agreed spans, sorted and unique; those of one label do not overlap, and those of different labels
            only where the dataset allows it.
        annotators: The user ids whose submitted responses were used, sorted.
        agreement: Mean pairwise exact-span F1 of the annotators in 0..1; None with fewer than two.
    """

    record_id: str
    text: str
    group: str
    spans: tuple[Span, ...]
    annotators: tuple[str, ...]
    agreement: float | None


@dataclass(frozen=True, slots=True)
class Example:
    """A text with its gold spans, as a snapshot holds it.

    Attributes:
        id: The record's id.
        text: The record's text.
        spans: Exact character spans, sorted; those of one label are disjoint.
        group: The document it came from; empty where every record is its own.
    """

    id: str
    text: str
    spans: tuple[Span, ...]
    group: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a model that was not trained on a record says about its annotation.

    Attributes:
        record_id: The record's id.
        marked: The spans of the annotation, each with the model's probability that it is right.
        found: The spans that the model finds, likewise; one on the words of a marked span is that span.
    """

    record_id: str
    marked: tuple[ScoredSpan, ...]
    found: tuple[ScoredSpan, ...]


@dataclass(frozen=True, slots=True)
class Statistics:
    """One record's uncertainty under the model in service; of every measure, higher means more informative.

    Attributes:
        n_words: Words of the text (`spanloop.words`); 0 for a text without any.
        least_confidence: 1 - P(best tag sequence | text), in [0, 1] (Culotta and McCallum, 2005).
        margin: 1 - (P(best sequence) - P(second best sequence)), in [0, 1] (Scheffer et al., 2001).
        token_entropy: Mean entropy of the words' tag distributions, in nats, >= 0 (Settles and Craven, 2008).
        mnlp: -(1 / n_words) * log P(best tag sequence | text), in nats, >= 0 (Shen et al., 2018).
        expected_errors: Expected number of wrong and missed spans among those that are likelier than not, >= 0.
        bald: Mean over words of the mutual information between tag and weights, in nats, >= 0, from passes with
            dropout on (Houlsby et al., 2011; Gal et al., 2017); None where no such passes were made.
        label_doubt: -log P(tag) summed over the words whose best tag is of this label, in nats; "" is outside of all
            spans; labels without a word are left out. For weights by label (Luo et al., 2023).
    """

    n_words: int
    least_confidence: float
    margin: float
    token_entropy: float
    mnlp: float
    expected_errors: float
    bald: float | None = None
    label_doubt: dict[str, float] = field(default_factory=dict)
