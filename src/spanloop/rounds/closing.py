"""The end of a round: its record is written and published, its work folder goes."""

import logging
import platform
import shutil
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from spanloop import __version__
from spanloop.reports.report import Outcome, RoundInputs, RoundReport, idle_report
from spanloop.rounds.identity import settings_of
from spanloop.rounds.inputs import Pulled, Snapshotted
from spanloop.rounds.models import Contest, training_hash
from spanloop.rounds.news import News
from spanloop.rounds.work import Work, begun, discard, last_round, now
from spanloop.store.jsonl import write_json

_PACKAGES = ("prefect", "argilla", "torch", "transformers", "accelerate", "datasets", "seqeval")
_KEEP = ("annotations.json", "queue.json")

log = logging.getLogger(__name__)


def close_idle(work: Work, news: News) -> RoundReport:
    """End a round that has nothing to do; nothing is published.

    Args:
        work: The round's work; its folder goes.
        news: Says that there is none.

    Returns:
        A report that names the last round and what is in service.
    """
    last, link = last_round(work.store) or {}, work.journal().get("pull", {}).get("queue_link", "")
    discard(work)
    return idle_report(last, news.reason, link, now())


def close_round(
    work: Work,
    pulled: Pulled,
    snapshot: Snapshotted,
    contest: Contest,
    champion: str | None,
) -> RoundReport:
    """Publish the record of the round and remove its work folder.

    Args:
        work: The round's work, with what its steps noted.
        pulled: The records.
        snapshot: The snapshot.
        contest: The models of the round.
        champion: The model in service now.

    Returns:
        The report, as published.
    """
    outcome, reason = _outcome(work.journal(), snapshot, contest)
    report = RoundReport(
        round=work.name,
        outcome=outcome,
        reason=reason,
        started_at=(begun(work.store, work.name) or {}).get("started_at", ""),
        finished_at=now(),
        champion=champion,
        challenger=contest.challenger,
        snapshot=snapshot.version,
        inputs=RoundInputs(
            records=pulled.records,
            settings=settings_of(work.config),
            training=training_hash(work.config),
            champion=contest.champion,
        ),
        versions=_versions(),
        **_figures(work.journal()),
    )
    work.store.publish("rounds", work.name, lambda folder: _fill(work, report, folder))
    discard(work)
    log.info("%s: %s, %s", report.round, outcome, reason)
    return report


def _outcome(journal: Mapping[str, Any], snapshot: Snapshotted, contest: Contest) -> tuple[Outcome, str]:
    decision = journal.get("gate", {})
    if contest.challenger:
        return ("promoted" if decision["promote"] else "kept"), str(decision["reason"])
    if not snapshot.ready:
        return "waiting", snapshot.message
    return "refreshed", contest.reason


def _figures(journal: Mapping[str, Any]) -> dict[str, Any]:
    pull, annotations, snapshot = (journal.get(name, {}) for name in ("pull", "annotations", "snapshot"))
    evaluate, gate, written = (dict(journal.get(name, {})) for name in ("evaluate", "gate", "log"))
    for noted in (gate, written):
        noted.pop("seconds", None)
    return {
        **{name: pull.get(name, 0) for name in ("records", "submitted", "pending")},
        **{name: annotations[name] for name in _NOTED if name in annotations},
        "counts": snapshot.get("counts", {}),
        "hub": snapshot.get("hub", ""),
        "training": journal.get("train", {}).get("result", {}),
        "champion_scores": evaluate.get("champion"),
        "challenger_scores": evaluate.get("challenger"),
        "decision": gate or None,
        "scored": journal.get("score", {}).get("scored", 0),
        "written": written,
        "seconds": {name: noted["seconds"] for name, noted in journal.items() if "seconds" in noted},
        "queue_link": pull.get("queue_link", ""),
    }


_NOTED = ("annotated", "lost", "moved", "agreement", "acceptance", "acceptance_since")


def _fill(work: Work, report: RoundReport, folder: Path) -> None:
    write_json(folder / "round.json", report.model_dump(mode="json"))
    for name in _KEEP:
        if work.file(name).exists():
            shutil.copy2(work.file(name), folder / name)


def _versions() -> dict[str, str]:
    found = {name: metadata.version(name) for name in _PACKAGES if _installed(name)}
    return {"spanloop": __version__, "python": platform.python_version(), **found}


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
