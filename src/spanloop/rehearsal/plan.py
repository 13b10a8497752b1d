"""What a rehearsal's folder is bound to: data, settings and word budgets, the same for whoever goes on in it."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter

from spanloop.config import LoopConfig
from spanloop.durable import files_below, hash_file, told_as_store_errors
from spanloop.errors import ConfigError, StoreError
from spanloop.rehearsal.pools import Pools, words_in
from spanloop.rounds.identity import changed_setting, digest, settings_of
from spanloop.store.jsonl import read_cache, write_annotations, write_json

FEWEST_FIRST = 50
"""Records of the first batch, by the mean length of the pool's."""
_SECTIONS = ("annotations", "splits", "training", "scoring", "selection")


class Shape(BaseModel):
    """How finely the curve is drawn.

    Attributes:
        start: Share of the pool's words that are annotated first.
        until: The same, last.
        steps: Points from one to the other, in equal ratios.
    """

    start: float = 0.02
    until: float = 0.6
    steps: int = 8


class Plan(BaseModel):
    """The identity of a rehearsal.

    Attributes:
        labels: The label scheme.
        records: Records of the pool.
        words: Words of the pool.
        judges: Records that models are judged on.
        budgets: Words annotated at each step, everything before it included; the same for all strategies.
        data: Hash of all records.
        settings: The part of the configuration that counts.
    """

    labels: list[str]
    records: int
    words: int
    judges: int
    budgets: list[int]
    data: str
    settings: dict[str, Any]


_PLAN = TypeAdapter(Plan)


def make_plan(config: LoopConfig, pools: Pools, shape: Shape) -> Plan:
    """Decide what is compared at which cost.

    Raises:
        ConfigError: The configuration is one that no rehearsal can follow.
    """
    if config.training.start_from != "base":
        raise ConfigError("training.start_from is 'champion'; a rehearsal starts each model from the base, set 'base'")
    words = sum(words_in(record.text) for record in pools.pool)
    return Plan(
        labels=pools.labels,
        records=len(pools.pool),
        words=words,
        judges=len(pools.judges),
        budgets=budgets_of(words, len(pools.pool), shape),
        data=_hash(pools),
        settings=_settings(config),
    )


def budgets_of(words: int, records: int, shape: Shape) -> list[int]:
    """Word budgets in equal ratios; the first is that of at least 50 records of mean length.

    Args:
        words: Of the pool.
        records: Of the pool.
        shape: Where the curve starts and ends, and its points.

    Returns:
        Increasing numbers of words, the last at most that of the pool.
    """
    first = max(shape.start, FEWEST_FIRST / records)
    last = min(1.0, max(shape.until, first))
    ratio = (last / first) ** (1 / max(1, shape.steps - 1))
    return sorted({round(words * min(last, first * ratio**step)) for step in range(shape.steps)})


def open_folder(folder: Path, plan: Plan, pools: Pools) -> None:
    """Begin a rehearsal in a folder, or see that it goes on there.

    Raises:
        ConfigError: Something else lies there, or it began with other data or settings.
        StoreError: It cannot be written.
    """
    path = folder / "rehearsal.json"
    began = read_cache(path, _PLAN)
    if began is None:
        if folder.is_dir() and any(entry.name not in _OURS for entry in folder.iterdir()):
            raise ConfigError(f"{folder} holds other things; name a folder of its own with --out")
        with told_as_store_errors(f"create {folder}", folder):
            (folder / "steps").mkdir(parents=True, exist_ok=True)
        write_annotations(folder / "pool.jsonl", pools.pool)
        write_annotations(folder / "judges.jsonl", pools.judges)
        write_json(path, plan.model_dump(mode="json"))
    elif (changed := _difference(began, plan)) is not None:
        raise ConfigError(f"{folder} began with {changed}; set it back, or name another folder with --out")


_OURS = {"rehearsal.json", ".rehearsal.json.tmp", "pool.jsonl", ".pool.jsonl.tmp", "judges.jsonl", ".judges.jsonl.tmp"}
_OURS |= {"steps", "rehearsal.lock"}


def read_plan(folder: Path) -> Plan:
    """The plan of a folder.

    Raises:
        StoreError: It has none.
    """
    plan = read_cache(folder / "rehearsal.json", _PLAN)
    if plan is None:
        raise StoreError(f"{folder} holds no rehearsal; 'spanloop rehearse FILE --out {folder}' begins one")
    return plan


def _difference(began: Plan, now: Plan) -> str | None:
    """What differs, in words; None if nothing does."""
    if began.data != now.data or began.labels != now.labels:
        return f"other records or labels ({began.records} to choose from, {began.judges} to judge on)"
    if field := changed_setting(began.settings, now.settings):
        section, name = field.split(".")
        return f"{field} = {began.settings.get(section, {}).get(name)!r}, now {now.settings[section].get(name)!r}"
    if began.budgets != now.budgets:
        return f"steps at {', '.join(f'{words:,}' for words in began.budgets)} words"
    return None


def _settings(config: LoopConfig) -> dict[str, Any]:
    """What counts, the same on every machine: an encoder's folder is named by its content."""
    tree: dict[str, Any] = {name: settings_of(config)[name] for name in _SECTIONS}
    del tree["selection"]["strategy"]
    encoder = Path(config.training.model_name_or_path)
    if encoder.is_dir():
        tree["training"]["model_name_or_path"] = digest([hash_file(path) for path in files_below(encoder)], 16)
    return tree


def _hash(pools: Pools) -> str:
    content = hashlib.sha256()
    parts: Sequence[Sequence[Any]] = (pools.pool, pools.judges)
    for part in parts:
        rows = [[r.record_id, r.group, r.text, [[s.start, s.end, s.label] for s in r.spans]] for r in part]
        content.update(digest(rows, 64).encode())
    return content.hexdigest()[:16]
