"""Class labels of a dataset's schema: numbers that stand for names."""

import json
from collections.abc import Mapping
from typing import Any


def features_of(metadata: Mapping[bytes, bytes] | None) -> dict[str, Any]:
    """The features that `datasets` keeps in the metadata of an Arrow schema; empty where it did not write it."""
    try:
        info = json.loads((metadata or {}).get(b"huggingface", b"{}"))["info"]
        return dict(info["features"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return {}


def with_names(value: Any, feature: Any) -> Any:
    """A value with the names of its class labels.

    Args:
        value: A value, or lists and dictionaries of them.
        feature: Its feature, as `Features.to_dict` writes it.
    """
    if isinstance(feature, list):
        feature = {"_type": "List", "feature": feature[0] if feature else None}
    if not isinstance(feature, dict):
        return value
    kind, inner = feature.get("_type"), feature.get("feature")
    if kind == "ClassLabel":
        names = feature.get("names") or []
        return names[value] if isinstance(value, int) and 0 <= value < len(names) else value
    if isinstance(value, list) and kind:
        return [with_names(item, inner) for item in value]
    if isinstance(value, dict) and kind and isinstance(inner, dict):  # older: a sequence of dictionaries, turned around
        return {name: [with_names(item, inner.get(name)) for item in part or ()] for name, part in value.items()}
    if isinstance(value, dict) and not kind:
        return {name: with_names(part, feature.get(name)) for name, part in value.items()}
    return value
