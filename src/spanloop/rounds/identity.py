"""What a model is made of, as a name: the same data, configuration and start give the same model version."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from spanloop.config import LoopConfig
from spanloop.records import Annotation

_SILENT_TRAINING_FIELDS = {"report_to", "num_processes"}
_SILENT_SETTINGS: dict[str, bool | set[str]] = {
    "store": True,
    "columns": True,
    "hub": True,
    "retention": True,
    "argilla": {"api_key_env", "api_key_block", "timeout_seconds"},
    "task": {"guidelines"},
    "training": _SILENT_TRAINING_FIELDS,
}


def digest(tree: object, length: int = 8) -> str:
    """The first hex digits of the sha256 of a JSON tree, whatever the order of its keys."""
    text = json.dumps(tree, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def model_key(snapshot: str, config: LoopConfig, start: str | None) -> str:
    """The key of the model that a snapshot and a configuration lead to.

    Args:
        snapshot: The snapshot's version.
        config: The configuration; fields that do not change the weights are left out.
        start: The model version that training starts from; None starts from the base encoder.

    Returns:
        8 hex digits.
    """
    return digest([snapshot, config.training.model_dump(exclude=_SILENT_TRAINING_FIELDS), start])


def settings_of(config: LoopConfig) -> dict[str, Any]:
    """The part of the configuration that can change what a round does."""
    return config.model_dump(mode="json", exclude=_SILENT_SETTINGS)


def changed_setting(before: Mapping[str, Any], after: Mapping[str, Any]) -> str | None:
    """The first setting that differs between two configurations, as `section.field`; None if none does."""
    for section in sorted(before.keys() | after.keys()):
        old, new = before.get(section, {}), after.get(section, {})
        if old != new:
            fields = (name for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name))
            return f"{section}.{next(fields)}"
    return None


def fingerprints(annotations: Iterable[Annotation]) -> dict[str, str]:
    """Record id to a hash of its text and agreed spans: what tells a changed record from an unchanged one."""
    return {
        a.record_id: digest([a.text, a.group, [[s.start, s.end, s.label] for s in a.spans]], 12) for a in annotations
    }
