"""The end of a round: its record is written and published, its work folder goes."""

import logging
import platform
import shutil
from importlib import metadata
from pathlib import Path

from spanloop import __version__
from spanloop.rounds.figures import GateFigures, PullFigures, Sections, SnapshotFigures, TrainFigures
from spanloop.rounds.identity import settings_of
from spanloop.rounds.models import training_hash
from spanloop.rounds.news import News
from spanloop.rounds.report import Outcome, RoundInputs, RoundReport, idle_report
from spanloop.rounds.work import Work, discard, last_round, now, start_of
from spanloop.store.jsonl import write_json

_PACKAGES = ("prefect", "argilla", "torch", "transformers", "accelerate", "datasets", "seqeval")

log = logging.getLogger(__name__)


def close_idle(work: Work, news: News, pulled: PullFigures) -> RoundReport:
    """End a round that has nothing to do; nothing is published.

    Args:
        work: The round's work; its folder goes.
        news: Says that there is none.
        pulled: Where annotators go on.

    Returns:
        A report that names the last round and what is in service.
    """
    last = last_round(work.store)
    discard(work)
    return idle_report(last, news.reason, pulled.queue_link, now())


def close_round(work: Work, sections: Sections) -> RoundReport:
    """Publish the record of the round and remove its work folder.

    Args:
        work: The round's work.
        sections: What each step had to say.

    Returns:
        The report, as published.
    """
    outcome, reason = _outcome(sections.snapshot, sections.train, sections.gate)
    report = RoundReport(
        round=work.name,
        outcome=outcome,
        reason=reason,
        queue_link=sections.pull.queue_link,
        started_at=start_of(work).started_at,
        finished_at=now(),
        champion=sections.gate.champion,
        figures=sections,
        inputs=RoundInputs(settings=settings_of(work.config), training=training_hash(work.config)),
        versions=_versions(),
    )
    work.store.publish("rounds", work.name, lambda folder: _fill(work, report, folder))
    work.store.binding.settle()
    discard(work)
    log.info("%s: %s, %s", report.round, outcome, reason)
    return report


def _outcome(snapshot: SnapshotFigures, trained: TrainFigures, gate: GateFigures) -> tuple[Outcome, str]:
    if gate.decision:
        return ("promoted" if gate.decision.promote else "kept"), gate.decision.reason
    if not snapshot.ready:
        return "waiting", snapshot.message
    return "refreshed", trained.reason


def _fill(work: Work, report: RoundReport, folder: Path) -> None:
    write_json(folder / "round.json", report.model_dump(mode="json"))
    for path in (work.fingerprints, work.waiting):
        if path.exists():
            shutil.copy2(path, folder / path.name)


def _versions() -> dict[str, str]:
    found = {name: metadata.version(name) for name in _PACKAGES if _installed(name)}
    return {"spanloop": __version__, "python": platform.python_version(), **found}


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
