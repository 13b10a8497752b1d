"""What a round shows in the Prefect UI: a table of scores, a summary with links, progress bars."""

import logging
import time
from typing import cast
from uuid import UUID

import httpx
from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

from spanloop.reports.summary import score_rows, summary_markdown
from spanloop.rounds.figures import EvaluateFigures
from spanloop.rounds.report import RoundReport

_SECONDS_BETWEEN_UPDATES = 2.0

log = logging.getLogger("spanloop.tasks")


class ProgressBar:
    """A progress artifact that appears with the first step and is updated every few seconds."""

    def __init__(self, key: str, description: str) -> None:
        """Prepare; nothing is shown yet.

        Args:
            key: The artifact's key in the UI.
            description: What is going on.
        """
        self._key, self._description = key, description
        self._artifact: UUID | None = None
        self._shown_at = 0.0
        self._failed = False

    def show(self, done: int, total: int) -> None:
        """Show how far it is; after a failure no more, since Prefect's client keeps trying for a minute each time.

        Args:
            done: Finished parts.
            total: All parts.
        """
        if self._failed or time.monotonic() - self._shown_at < _SECONDS_BETWEEN_UPDATES:
            return
        self._update(100 * done / max(total, 1))
        self._shown_at = time.monotonic()

    def finish(self) -> None:
        """Fill the bar, if it was ever shown."""
        if self._artifact and not self._failed:
            self._update(100.0)

    def _update(self, percent: float) -> None:
        try:
            if self._artifact is None:
                self._artifact = cast(UUID, create_progress_artifact(percent, self._key, self._description))
            else:
                update_progress_artifact(self._artifact, percent)
        except httpx.HTTPError as error:
            self._failed = True
            log.warning("the progress of %s is not shown any more: %s", self._key, error)


def show_scores(name: str, evaluated: EvaluateFigures) -> None:
    """Show the per-label scores of the models of a round as a table, if any was evaluated.

    Args:
        name: The round's name.
        evaluated: The scores.
    """
    if rows := score_rows(evaluated):
        create_table_artifact(rows, "scores-per-label", f"Exact-span scores on the test split, round {name}")


def show_summary(report: RoundReport) -> None:
    """Show a round in words, with its tables and the link to the queue."""
    create_markdown_artifact(summary_markdown(report), "round-summary", f"{report.round}: {report.outcome}")
