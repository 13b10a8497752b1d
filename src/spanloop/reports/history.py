"""The rounds of a store as one table: what was annotated, what it bought."""

from collections.abc import Sequence
from dataclasses import dataclass

from spanloop.rounds.report import RoundReport
from spanloop.rounds.work import read_round
from spanloop.store import Store


@dataclass(frozen=True, slots=True)
class Entry:
    """One round.

    Attributes:
        round: Its name.
        outcome: What became of it, e.g. `promoted`.
        annotated: Annotated records at its end.
        champion: The model in service after it; None without one.
        f1: That model's F1 on the test split of the round's snapshot, corrected for its choice on these very records;
            None if no model was judged in the round.
        low: Lower end of the 95 % interval of `f1`.
        high: Upper end.
        n_test: Test records behind `f1`.
        accepted: F1 of the suggestions against what was submitted since the round before; None where nothing had been
            suggested.
        kept: Suggested spans that the annotators kept.
        suggested: Suggested spans in the records submitted since the round before.
    """

    round: str
    outcome: str
    annotated: int
    champion: str | None = None
    f1: float | None = None
    low: float | None = None
    high: float | None = None
    n_test: int = 0
    accepted: float | None = None
    kept: int = 0
    suggested: int = 0


HEADER = ("round", "outcome", "records", "F1 (95 %)", "n", "kept", "accepted")
LEGEND = (
    "records: annotated ones; F1: in percent on n test records, of the model in service, corrected for its choice on "
    "the same records; kept: suggested spans that annotators kept since the round before; accepted: F1 of those "
    "suggestions against what was submitted"
)


def history(store: Store) -> list[Entry]:
    """Every published round, in order.

    Raises:
        StoreError: The record of a round is damaged.
    """
    return [entry_of(read_round(store, name)) for name in store.names("rounds")]


def entry_of(report: RoundReport) -> Entry:
    """Reduce the report of a round to its line of the table."""
    scores, accepted = report.scores, report.accepted
    optimism = report.figures.gate.optimism if report.figures else 0.0
    return Entry(
        round=report.round,
        outcome=report.outcome,
        annotated=report.figures.annotations.annotated if report.figures else 0,
        champion=report.champion,
        f1=max(scores.f1 - optimism, 0.0) if scores else None,
        low=max(scores.f1_low - optimism, 0.0) if scores else None,
        high=max(scores.f1_high - optimism, 0.0) if scores else None,
        n_test=scores.n_records if scores else 0,
        accepted=accepted.f1 if accepted else None,
        kept=accepted.n_kept if accepted else 0,
        suggested=accepted.n_suggested if accepted else 0,
    )


def rows(entries: Sequence[Entry]) -> list[tuple[str, ...]]:
    """The table's cells, one row a round, in the order of `HEADER`; figures in percent, `-` for what is unknown."""
    return [
        (
            e.round,
            e.outcome,
            str(e.annotated),
            f"{100 * e.f1:.1f} ({_percent(e.low)}-{_percent(e.high)})" if e.f1 is not None else "-",
            str(e.n_test) if e.f1 is not None else "-",
            f"{e.kept}/{e.suggested} {100 * e.kept / e.suggested:.0f} %" if e.suggested else "-",
            _percent(e.accepted),
        )
        for e in entries
    ]


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"
