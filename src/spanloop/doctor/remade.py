"""Checks of what a round makes again by itself: score books, embeddings, checkpoints, its own notes."""

from collections.abc import Callable, Iterator
from pathlib import Path

from spanloop.doctor.health_check import Finding, HealthCheck
from spanloop.doctor.set_up import SetUp
from spanloop.errors import StoreError
from spanloop.store.jsonl import read_json

_NOTES = ("r*/*.json", "r*/journal/*.json", "scores/*.json", "looks/*.json", "train-*/trained.json")


def _scores(set_up: SetUp) -> Iterator[Finding]:
    for path, lines, _ in _damaged_books(set_up):
        yield Finding(f"{path}: {lines} damaged; those records are read again, --repair drops them now")


def _drop_from_books(set_up: SetUp) -> Iterator[str]:
    with set_up.holding_store():
        for path, lines, drop in _damaged_books(set_up):
            drop(path)
            yield f"dropped {lines} of {path}"


def _damaged_books(set_up: SetUp) -> Iterator[tuple[Path, str, Callable[[Path], None]]]:
    """Books with damaged lines or rows, how many, and what drops those."""
    from spanloop.rounds import scorebook, vectorbook
    from spanloop.rounds.work import SCORES

    folder = set_up.store.root / "work" / SCORES
    for path in sorted(folder.glob("*.jsonl")):
        if lines := scorebook.damaged_lines(path):
            yield path, f"{lines} lines", scorebook.drop_damaged_lines
    for path in sorted(folder.glob("*.f16")):
        if rows := vectorbook.damaged_rows(path):
            yield path, f"{rows} rows", vectorbook.drop_damaged_rows


def _notes(set_up: SetUp) -> Iterator[Finding]:
    yield from (Finding(problem) for _, problem in _damaged_notes(set_up))


def _damaged_notes(set_up: SetUp) -> Iterator[tuple[Path, str]]:
    """JSON files of interrupted rounds and of scores on the test split."""
    work = set_up.store.root / "work"
    for path in sorted(path for pattern in _NOTES for path in work.glob(pattern)):
        try:
            read_json(path)
        except StoreError as error:
            yield path, str(error)


def _checkpoints(set_up: SetUp) -> Iterator[Finding]:
    yield from (Finding(problem) for _, problem in _damaged_checkpoints(set_up))


def _damaged_checkpoints(set_up: SetUp) -> Iterator[tuple[Path, str]]:
    for path in sorted((set_up.store.root / "work").glob("train-*/checkpoint/*.pt")):
        from spanloop.training.checkpoint import read_checkpoint

        try:
            read_checkpoint(path)
        except StoreError as error:
            yield path, str(error)


def _removing(damaged: Callable[[SetUp], Iterator[tuple[Path, str]]]) -> Callable[[SetUp], Iterator[str]]:
    def remove(set_up: SetUp) -> Iterator[str]:
        with set_up.holding_store():
            for path, _ in list(damaged(set_up)):
                path.unlink()
                yield f"removed {path}"

    return remove


_IN_STORE = ("configuration", "store")

CHECKS = (
    HealthCheck("scores", _scores, _drop_from_books, needs=_IN_STORE),
    HealthCheck("notes", _notes, _removing(_damaged_notes), needs=_IN_STORE),
    HealthCheck("checkpoints", _checkpoints, _removing(_damaged_checkpoints), needs=_IN_STORE),
)
