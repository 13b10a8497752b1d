"""Records of rounds, as complete as a round leaves them, with the figures that a test cares about."""

from collections.abc import Mapping
from typing import Any

from spanloop.argilla.writing import WriteReport
from spanloop.rounds.figures import Sections
from spanloop.rounds.report import RoundReport

_QUIET: dict[str, dict[str, Any]] = {
    "pull": {"labels": ("person", "place"), "records": 100, "submitted": 30, "pending": 70, "queue_link": "http://q"},
    "annotations": {"annotated": 30},
    "snapshot": {"version": None, "ready": False, "message": "12 annotated, 20 needed"},
    "train": {"champion": None},
    "evaluate": {},
    "gate": {"champion": None},
    "score": {},
    "prioritise": {"strategy": "random", "records": 70},
    "log": {"written": WriteReport()},
    "outlook": {},
}


def sections(**figures: Mapping[str, Any]) -> Sections:
    """The sections of a round, those of a quiet one unless said: `sections(pull={"records": 7})`."""
    return Sections.model_validate({name: {**quiet, **figures.get(name, {})} for name, quiet in _QUIET.items()})


def a_round(name: str = "r0001", outcome: str = "waiting", **figures: Any) -> RoundReport:
    """The record of a round: its own fields by their names, what is left goes to the sections."""
    own = {field: figures.pop(field) for field in list(figures) if field in RoundReport.model_fields}
    tree = {"round": name, "outcome": outcome, "reason": "", "figures": sections(**figures), **own}
    return RoundReport.model_validate(tree)
