"""The figures of a round: each step returns one section, the round's record holds them all."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from spanloop.annotations.acceptance import Acceptance
from spanloop.annotations.agreement import AgreementReport
from spanloop.annotations.resolve import SetAside
from spanloop.argilla.writing import WriteReport
from spanloop.evaluation import Evaluation
from spanloop.evaluation.gate import Decision
from spanloop.records import Split
from spanloop.spans import LostSpan
from spanloop.training import TrainResult

StepName = Literal["pull", "annotations", "snapshot", "train", "evaluate", "gate", "score", "prioritise", "log"]


class Figures(BaseModel):
    """What one step has to say.

    Attributes:
        seconds: How long it took; where an attempt finds what one before it made, over both.
    """

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    seconds: float = 0.0


class PullFigures(Figures):
    """What came from Argilla.

    Attributes:
        labels: The labels of the question, in its order.
        records: Records in the dataset.
        submitted: Those with a submitted response.
        pending: Those without any response.
        queue_link: Where annotators go on.
        min_submitted: Submitted responses that complete a record.
        regrouped: Records whose metadata says another group than the one they had; they keep that, and their split.
    """

    labels: tuple[str, ...]
    records: int
    submitted: int
    pending: int
    queue_link: str
    min_submitted: int = 1
    regrouped: tuple[str, ...] = ()


class AnnotationFigures(Figures):
    """What the submitted responses amount to.

    Attributes:
        annotated: Records with an annotation.
        key: Hash of the annotations and of the settings: what the round works on.
        lost: Spans that could not be represented, with record id and reason.
        moved: Spans whose edges were trimmed of invisible characters.
        aside: Submitted records that can be no part of a data set.
        agreement: Agreement between annotators.
        acceptance: Suggestion acceptance by model version, over all records.
        acceptance_since: The same over the records annotated since the last round.
    """

    annotated: int
    key: str = ""
    lost: tuple[LostSpan, ...] = ()
    moved: tuple[LostSpan, ...] = ()
    aside: tuple[SetAside, ...] = ()
    agreement: AgreementReport = AgreementReport()
    acceptance: Acceptance = Acceptance()
    acceptance_since: Acceptance = Acceptance()


class SnapshotFigures(Figures):
    """The snapshot of the round.

    Attributes:
        version: E.g. `v0007-3fa9c1d2`; None while nothing is annotated.
        counts: Annotated records of each split.
        ready: Has it enough to train and judge a model?
        message: What is missing, or what there is.
        hub: What became of it on the Hub; empty where none is configured.
    """

    version: str | None
    ready: bool
    message: str
    counts: dict[Split, int] = {}
    hub: str = ""


class TrainFigures(Figures):
    """The models of the round.

    Attributes:
        champion: The version in service when the round began.
        challenger: The version trained in the round; None if none was.
        reason: Why there is no challenger; empty if there is one.
        result: Device, precision, steps, seconds and the like of the challenger's training.
    """

    champion: str | None
    challenger: str | None = None
    reason: str = ""
    result: TrainResult | None = None


class EvaluateFigures(Figures):
    """Scores of the models on the test split of the round's snapshot, the same records for both.

    Attributes:
        champion: Those of the model in service when the round began.
        challenger: Those of the model trained in the round.
    """

    champion: Evaluation | None = None
    challenger: Evaluation | None = None


class GateFigures(Figures):
    """Who serves from now on.

    Attributes:
        champion: The version in service after the gate; None if there is none yet.
        decision: The verdict; None where no challenger stood before the gate.
        optimism: By how much that version's F1 on the test split is too high, in F1, because the same records chose it
            among the models judged.
    """

    champion: str | None
    decision: Decision | None = None
    optimism: float = 0.0


class ScoreFigures(Figures):
    """Who scored how much.

    Attributes:
        model: The model in service; None without one.
        scored: Pending records scored in the round.
        known: Records that it had scored before.
    """

    model: str | None = None
    scored: int = 0
    known: int = 0


class PrioritiseFigures(Figures):
    """How the queue was ordered.

    Attributes:
        strategy: The query strategy.
        records: Pending records with a place in the queue.
        scored: Those with a score; most strategies cannot judge the others, which come last and at random.
    """

    strategy: str
    records: int
    scored: int = 0


class LogFigures(Figures):
    """What was written to Argilla.

    Attributes:
        written: What became of the records, in counts.
        embeddings: Records that were given an embedding, for the search of similar ones.
    """

    written: WriteReport
    embeddings: int = 0


class Sections(BaseModel):
    """The sections of all steps, by the name of the step."""

    pull: PullFigures
    annotations: AnnotationFigures
    snapshot: SnapshotFigures
    train: TrainFigures
    evaluate: EvaluateFigures
    gate: GateFigures
    score: ScoreFigures
    prioritise: PrioritiseFigures
    log: LogFigures

    @property
    def seconds(self) -> dict[str, float]:
        """How long each step took."""
        return {name: getattr(self, name).seconds for name in Sections.model_fields}
