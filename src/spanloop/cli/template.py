"""The commented `spanloop.yaml`, drawn from the descriptions, bounds and defaults of the configuration."""

from textwrap import wrap
from typing import Any

import yaml
from pydantic import BaseModel

from spanloop.config import LoopConfig

_WIDTH = 110
_HEAD = """\
# Configuration of an active-learning loop for span annotation.
# Every setting stands here with its default. An environment variable goes before it, e.g.
# SPANLOOP_TRAINING__LEARNING_RATE=3e-5. Nothing here is secret: the API key of Argilla has its own place.
"""
_LABELS = "e.g. labels: [person, organisation, place]. To change them later, see 'spanloop labels' and task.mapping."


def commented_yaml(labels: list[str]) -> str:
    """The text of a `spanloop.yaml` with every setting.

    Args:
        labels: Span labels to fill in; may be empty.

    Returns:
        YAML that reads back as the default configuration with these labels.
    """
    schema = LoopConfig.model_json_schema()
    defaults = LoopConfig().model_dump()
    defaults["task"]["labels"] = labels
    lines = [_HEAD]
    for name, described in LoopConfig.model_fields.items():
        lines += _comment(described.description or name, "")
        if isinstance(section := described.annotation, type) and issubclass(section, BaseModel):
            properties = schema["$defs"][section.__name__]["properties"]
            lines += [f"{name}:", *_section(properties, defaults[name]), ""]
        else:
            lines += [f"{name}: {_value(defaults[name])}", ""]
    return "\n".join(lines).rstrip() + "\n"


def _section(properties: dict[str, Any], defaults: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    for name, property_ in properties.items():
        lines += _comment(property_["description"] + _bounds(property_), "  ")
        lines += _comment(_LABELS, "  ") if name == "labels" else []
        lines.append(f"  {name}: {_value(defaults[name])}")
    return lines


def _bounds(property_: dict[str, Any]) -> str:
    """What the value may be, in words."""
    if inner := property_.get("items") or property_.get("additionalProperties"):
        return _bounds(inner)
    if choices := property_.get("enum"):
        return f" [{', '.join(choices)}]"
    low, high = property_.get("minimum", property_.get("exclusiveMinimum")), property_.get("maximum")
    if low is None:
        return ""
    above = "over " if "exclusiveMinimum" in property_ else ""
    return f" [{above}{low:g} to {high:g}]" if high is not None else f" [{above or 'from '}{low:g}]"


def _comment(text: str, indent: str) -> list[str]:
    return [f"{indent}# {line}" for line in wrap(text, _WIDTH)]


def _value(value: Any) -> str:
    """One line of YAML."""
    dumped = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000)
    return dumped.removesuffix("...\n").strip()
