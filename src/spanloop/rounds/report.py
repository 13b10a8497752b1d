"""The record of a round: what it worked on, what it decided, with every figure. Published as `round.json`."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from spanloop.annotations.acceptance import VersionAcceptance
from spanloop.evaluation import Evaluation
from spanloop.rounds.figures import Sections

Outcome = Literal["nothing new", "waiting", "refreshed", "promoted", "kept"]


class RoundInputs(BaseModel):
    """The settings that a later round compares its own with.

    Attributes:
        settings: The configuration, without what cannot change the outcome and without any secret.
        training: Hash of the training and gate settings.
    """

    settings: dict[str, Any]
    training: str


class RoundReport(BaseModel):
    """One round of the loop: its outcome, and the figures of its steps.

    Attributes:
        round: Its name, e.g. `r0003`; of a round with nothing new, the name of the last one.
        outcome: `promoted`: the challenger went into service; `kept`: it was worse, the champion stays; `refreshed`:
            no new model, suggestions and queue were brought up to date; `waiting`: too few records to train, the queue
            was brought up to date; `nothing new`: nothing was done.
        reason: The outcome in one line, with numbers.
        queue_link: Where annotators go on.
        started_at: ISO 8601 in UTC.
        finished_at: ISO 8601 in UTC.
        champion: The model in service after the round.
        figures: What each step had to say; None where nothing was done, as with the next two.
        inputs: What a later round compares itself with.
        versions: Versions of the software that made the round.
    """

    round: str
    outcome: Outcome
    reason: str
    queue_link: str = ""
    started_at: str = ""
    finished_at: str = ""
    champion: str | None = None
    figures: Sections | None = None
    inputs: RoundInputs | None = None
    versions: dict[str, str] = Field(default_factory=dict)

    @property
    def scores(self) -> Evaluation | None:
        """The evaluation of the model that is in service after the round; None while there is none."""
        if self.figures is None:
            return None
        evaluated = self.figures.evaluate
        return evaluated.challenger if self.outcome == "promoted" else evaluated.champion

    @property
    def accepted(self) -> VersionAcceptance | None:
        """Acceptance of the suggestions among the records annotated since the last round, all versions together."""
        return self.figures.annotations.acceptance_since.total() if self.figures else None


def idle_report(last: RoundReport | None, reason: str, queue_link: str, now: str) -> RoundReport:
    """The report of a round that had nothing to do.

    Args:
        last: The record of the last round; None before the first.
        reason: Says that there is nothing new.
        queue_link: Where annotators go on.
        now: The time, ISO 8601 in UTC.

    Returns:
        The report; it names the last round and what is in service.
    """
    return RoundReport(
        round=last.round if last else "",
        outcome="nothing new",
        reason=reason,
        queue_link=queue_link,
        started_at=now,
        finished_at=now,
        champion=last.champion if last else None,
    )
