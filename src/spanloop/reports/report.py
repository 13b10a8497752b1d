"""The record of a round: what it worked on, what it decided, with every figure. Published as `round.json`."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Outcome = Literal["nothing new", "waiting", "refreshed", "promoted", "kept"]
Tree = dict[str, Any]


class RoundInputs(BaseModel):
    """What a later round compares itself with.

    Attributes:
        records: Records in Argilla.
        settings: The configuration, without what cannot change the outcome and without any secret.
        training: Hash of the training and gate settings.
        champion: The model in service when the round began.
    """

    records: int
    settings: Tree
    training: str
    champion: str | None


class RoundReport(BaseModel):
    """One round of the loop.

    Attributes:
        round: Its name, e.g. `r0003`; of a round with nothing new, the name of the last one.
        outcome: `promoted`: the challenger went into service; `kept`: it was worse, the champion stays; `refreshed`:
            no new model, suggestions and queue were brought up to date; `waiting`: too few records to train, the queue
            was brought up to date; `nothing new`: nothing was done.
        reason: The outcome in one line, with numbers.
        started_at: ISO 8601 in UTC.
        finished_at: ISO 8601 in UTC.
        records: Records in Argilla.
        submitted: Records with a submitted response.
        pending: Records without any response.
        annotated: Records of the snapshot.
        snapshot: The snapshot's version.
        counts: Annotated records of each split.
        hub: What became of the snapshot on the Hub; empty where none is configured.
        lost: Spans that could not be represented, with record id and reason.
        moved: Spans whose edges were trimmed of invisible characters.
        agreement: Agreement between annotators.
        acceptance: Suggestion acceptance by model version, over all records.
        acceptance_since: The same over the records annotated since the last round.
        champion: The model in service after the round.
        challenger: The model trained in the round; None if none was.
        training: Device, precision, steps, seconds and the like, if the round trained.
        champion_scores: The champion's evaluation on the test split, taken before the gate.
        challenger_scores: The challenger's, on the same records.
        decision: The gate's verdict.
        scored: Records scored in this round.
        written: What was written to Argilla: counts.
        seconds: Duration of each step.
        queue_link: Where annotators go on.
        inputs: What a later round compares itself with.
        versions: Versions of the software that made the round.
    """

    model_config = ConfigDict(protected_namespaces=())

    round: str
    outcome: Outcome
    reason: str
    started_at: str = ""
    finished_at: str = ""
    records: int = 0
    submitted: int = 0
    pending: int = 0
    annotated: int = 0
    snapshot: str | None = None
    counts: dict[str, int] = Field(default_factory=dict)
    hub: str = ""
    lost: list[Tree] = Field(default_factory=list)
    moved: list[Tree] = Field(default_factory=list)
    agreement: Tree = Field(default_factory=dict)
    acceptance: Tree = Field(default_factory=dict)
    acceptance_since: Tree = Field(default_factory=dict)
    champion: str | None = None
    challenger: str | None = None
    training: Tree = Field(default_factory=dict)
    champion_scores: Tree | None = None
    challenger_scores: Tree | None = None
    decision: Tree | None = None
    scored: int = 0
    written: Tree = Field(default_factory=dict)
    seconds: dict[str, float] = Field(default_factory=dict)
    queue_link: str = ""
    inputs: RoundInputs | None = None
    versions: dict[str, str] = Field(default_factory=dict)

    @property
    def scores(self) -> Tree | None:
        """The evaluation of the model that is in service after the round; None while there is none."""
        return self.challenger_scores if self.outcome == "promoted" else self.champion_scores

    @property
    def accepted(self) -> Tree | None:
        """Acceptance of the suggestions among the records annotated since the last round, all versions together.

        Returns:
            `precision`, `recall`, `f1`, `n_records`, `n_suggested`; None where nothing had been suggested.
        """
        versions: list[Tree] = list(self.acceptance_since.get("versions", []))
        if not versions:
            return None
        total = {name: sum(v[name] for v in versions) for name in _SUMS}
        precision = total["n_kept"] / total["n_suggested"] if total["n_suggested"] else 0.0
        recall = total["n_kept"] / total["n_submitted"] if total["n_submitted"] else 0.0
        both = precision + recall
        return {**total, "precision": precision, "recall": recall, "f1": 2 * precision * recall / both if both else 0.0}


_SUMS = ("n_records", "n_unchanged", "n_suggested", "n_submitted", "n_kept")


def idle_report(last: Mapping[str, Any], reason: str, queue_link: str, now: str) -> RoundReport:
    """The report of a round that had nothing to do.

    Args:
        last: The record of the last round.
        reason: Says that there is nothing new.
        queue_link: Where annotators go on.
        now: The time, ISO 8601 in UTC.

    Returns:
        The report; it names the last round and the model in service.
    """
    return RoundReport(
        round=last.get("round", ""),
        outcome="nothing new",
        reason=reason,
        started_at=now,
        finished_at=now,
        champion=last.get("champion"),
        snapshot=last.get("snapshot"),
        queue_link=queue_link,
    )
