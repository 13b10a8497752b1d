"""The figures of a round: each step returns one section, the round's record holds them all."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from spanloop.annotations.acceptance import Acceptance
from spanloop.annotations.agreement import AgreementReport
from spanloop.annotations.effort import Effort
from spanloop.annotations.resolve import SetAside
from spanloop.argilla.writing import WriteReport
from spanloop.evaluation import Evaluation
from spanloop.evaluation.forecast import Gain
from spanloop.evaluation.gate import Decision
from spanloop.evaluation.stability import Stability
from spanloop.records import Split
from spanloop.spans import LostSpan
from spanloop.training import TrainResult

StepName = Literal[
    "pull", "annotations", "snapshot", "train", "evaluate", "gate", "score", "prioritise", "log", "outlook"
]


class Figures(BaseModel):
    """What one step has to say.

    Attributes:
        seconds: How long it took; where an attempt finds what one before it made, over both.
    """

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    seconds: float = 0.0


class Relabelling(BaseModel):
    """Spans under a label that the project does not have, or not any more.

    Attributes:
        name: An option of the question, or a label of a model.
        label: The project's label that the spans count under; "" where they are left out.
        spans: How many there are.
    """

    name: str
    label: str
    spans: int

    def __str__(self) -> str:
        """`organisation → company (12 spans)`."""
        return f"{self.name} {f'→ {self.label}' if self.label else 'left out'} ({self.spans} spans)"


class PullFigures(Figures):
    """What came from Argilla.

    Attributes:
        labels: The project's labels, in its order.
        records: Records in the dataset.
        submitted: Those with a submitted response.
        pending: Those without any response.
        unordered: Those of them that had no place in the queue.
        queue_link: Where annotators go on.
        min_submitted: Submitted responses that complete a record.
        regrouped: Records whose metadata says another group than the one they had; they keep that, and their split.
        resplit: Records whose group the settings would deal to another split by now; they keep theirs.
        relabelled: Submitted spans whose option means another label by now, or none.
    """

    labels: tuple[str, ...]
    records: int
    submitted: int
    pending: int
    queue_link: str
    min_submitted: int = 1
    unordered: int = 0
    regrouped: tuple[str, ...] = ()
    resplit: tuple[str, ...] = ()
    relabelled: tuple[Relabelling, ...] = ()


class AnnotationFigures(Figures):
    """What the submitted responses amount to.

    Attributes:
        annotated: Records with an annotation.
        answered_until: The latest change of a submitted response, by Argilla's clock; empty without any.
        key: Hash of the annotations and of the settings: what the round works on.
        lost: Spans that could not be represented, with record id and reason.
        moved: Spans whose edges were trimmed of invisible characters.
        aside: Submitted records that can be no part of a data set.
        agreement: Agreement between annotators.
        acceptance: Suggestion acceptance by model version, over all records.
        acceptance_since: The same over the records annotated since the last round.
    """

    annotated: int
    answered_until: str = ""
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
        relabelled: Spans of the model in service under labels that the project does not have.
    """

    champion: Evaluation | None = None
    challenger: Evaluation | None = None
    relabelled: tuple[Relabelling, ...] = ()


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
        blind: Pending records that it does not score, since people annotate them blind.
        relabelled: Its spans in pending records under labels that the project does not have.
    """

    model: str | None = None
    scored: int = 0
    known: int = 0
    blind: int = 0
    relabelled: tuple[Relabelling, ...] = ()


class PrioritiseFigures(Figures):
    """How the queue was ordered.

    Attributes:
        strategy: The query strategy.
        records: Pending records with a place in the queue.
        scored: Those with a score; most strategies cannot judge the others, which come last and at random. Held-out
            records need none: their places are random in any case.
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


class Rescored(BaseModel):
    """A past model on the test split of the round's snapshot.

    Attributes:
        model: Its version.
        records: Annotated records that it learnt from.
        words: Words in them; None where its snapshot is gone.
        f1: Its F1, 0..1.
    """

    model: str
    records: int
    words: int | None
    f1: float


class CurvePoint(BaseModel):
    """F1 of a model with so many annotated records, held-out ones included: the curve, and its 80 % interval."""

    annotated: int
    low: float
    f1: float
    high: float


class Prospect(BaseModel):
    """More annotated records, held-out ones included, and what they should bring; None where that is not known."""

    records: int
    gain: Gain | None = None


class OutlookFigures(Figures):
    """What more annotating will bring and cost.

    Attributes:
        models: Past models on today's test split, the newest last.
        curve: The learning curve through them, from the first to twice the labels; empty where there is none.
        next_batch: As many records as between the last rounds; None in a record that knows no outlook.
        doubled: As many records again as there are.
        missing: Why there is no curve; empty if there is one.
        stability: Agreement of successive models on texts that none learnt from.
        effort: What a record costs the annotators.
    """

    models: tuple[Rescored, ...] = ()
    curve: tuple[CurvePoint, ...] = ()
    next_batch: Prospect | None = None
    doubled: Prospect | None = None
    missing: str = ""
    stability: Stability | None = None
    effort: Effort = Effort()


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
    outlook: OutlookFigures = OutlookFigures()  # older rounds have none

    @property
    def seconds(self) -> dict[str, float]:
        """How long each step took."""
        return {name: getattr(self, name).seconds for name in Sections.model_fields}
