"""A review of what annotators submitted: which of it the models that did not learn from it hold for wrong."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from spanloop.annotations.resolve import instant, resolve
from spanloop.argilla.client import ArgillaClient
from spanloop.argilla.dataset import DatasetRef
from spanloop.argilla.pull import pull_submitted
from spanloop.config import AnnotationConfig
from spanloop.errors import StoreError
from spanloop.evaluation.label_errors import Suspect, find_suspects
from spanloop.records import Annotation, Evidence, Record
from spanloop.rounds.work import readable_rounds
from spanloop.store import Store
from spanloop.store.jsonl import read_json
from spanloop.training.evidence_file import EVIDENCE, read_evidence

_LEAST = 0.05  # a record that is no more suspicious than any marked span


@dataclass(frozen=True, slots=True)
class LabelReview:
    """The records whose annotation is most suspicious.

    Attributes:
        model: The version whose training judged them.
        worst: Annotation and suspicion of each, the most suspicious first.
        judged: Annotated records that were judged as they are.
        answered: Those that people submitted again since, changed or as they were; the next model judges them anew.
        unjudged: The others: held out for the test, or too new.
    """

    model: str
    worst: tuple[tuple[Annotation, Suspect], ...]
    judged: int
    answered: int
    unjudged: int

    @property
    def annotators(self) -> Counter[str]:
        """How many of the worst each user submitted, by user id."""
        return Counter(user for annotation, _ in self.worst for user in annotation.annotators)


def review_labels(
    client: ArgillaClient, dataset: DatasetRef, store: Store, config: AnnotationConfig, most: int
) -> LabelReview:
    """Judge what is submitted by what the last training found out of fold; nothing is written.

    Args:
        client: The connection.
        dataset: What is annotated.
        store: Has the models.
        config: How responses become one annotation.
        most: Records to name.

    Raises:
        StoreError: No model has evidence; says why.
    """
    model, evidence = _last_evidence(store)
    records = {record.id: record for record in pull_submitted(client, dataset)}
    overlapping = dataset.allow_overlapping
    resolution = resolve(records.values(), config, dataset.min_submitted, allow_overlapping=overlapping)
    annotations = {a.record_id: a for a in resolution.annotations}
    known = [e for e in evidence if e.record_id in annotations]
    since = _answered_until(store, model)
    judged = {
        e.record_id
        for e in known
        if _holds(e, annotations[e.record_id]) and not _answered_since(records[e.record_id], since)
    }
    found = [x for x in find_suspects(evidence) if x.record_id in judged and x.suspicion >= _LEAST][:most]
    return LabelReview(
        model=model,
        worst=tuple((annotations[suspect.record_id], suspect) for suspect in found),
        judged=len(judged),
        answered=len(known) - len(judged),
        unjudged=len(annotations) - len(known),
    )


def _holds(evidence: Evidence, annotation: Annotation) -> bool:
    """Whether the annotation is still what was judged."""
    return {span.span for span in evidence.marked} == set(annotation.spans)


def _answered_since(record: Record, since: datetime | None) -> bool:
    """Whether somebody submitted the record after it was judged: whoever looked again and changed nothing, meant it."""
    return since is not None and any(instant(response.updated_at) > since for response in record.submitted)


def _answered_until(store: Store, model: str) -> datetime | None:
    """The latest change that a model's round saw, by Argilla's clock; None where no published round made it."""
    for past in readable_rounds(store):
        if past.figures and past.figures.train.challenger == model:
            return instant(past.figures.annotations.answered_until or past.started_at)
    return None


def _last_evidence(store: Store) -> tuple[str, list[Evidence]]:
    """The newest model whose training left evidence, and that evidence: it is of the newest annotations."""
    models = store.names("models")
    if not models:
        raise StoreError(f"{store.root} has no model yet, whose training would judge the labels; run a round first")
    for model in reversed(models):
        if (path := store.path("models", model) / EVIDENCE).is_file():
            store.verify("models", model)
            return model, read_evidence(path)
    raise StoreError(f"no model of {store.root} has judged labels: {_why(store.path('models', models[-1]))}")


def _why(model: Path) -> str:
    config: dict[str, object] = (read_json(model / "training.json") or {}).get("config", {})
    if config.get("folds") in (0, 1):
        return f"{model.name} was trained with training.folds {config['folds']}; set it to 2 or more and run a round"
    return f"{model.name} was trained on too few records, or by an older spanloop; annotate more and run a round"
