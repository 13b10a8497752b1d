"""Settings of the queue's order."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from pydantic import Field, ValidationInfo, field_validator

from spanloop.config.section import Fraction, Section
from spanloop.errors import ConfigError


def of_selection(module: str) -> Any:
    """A module of the room above that knows what may stand in `selection`; imported when a configuration is read."""
    return import_module(f"spanloop.selection.{module}")


def _described(more: Callable[[], str]) -> Callable[[dict[str, Any]], None]:
    """Add to a field's description what is known when the schema is drawn."""
    return lambda schema: schema.update(description=f"{schema['description']} {more()}")


def _known_strategies() -> str:
    return f"One of {', '.join(of_selection('strategies').STRATEGIES)}, or your own as my_package:my_function."


def _known_steps() -> str:
    steps = of_selection("reranking").STEPS.items()
    return " ".join(f"({name}) {(step.__doc__ or '').partition(chr(10))[0]}" for name, step in steps)


class SelectionConfig(Section):
    """Which pending records annotators see first."""

    strategy: str = Field(
        "mnlp",
        description="Query strategy: how informative a record is judged from the scoring pass.",
        json_schema_extra=_described(_known_strategies),
    )
    cold_start: str = Field(
        "core_set",
        description="Strategy until a model has scored: core_set, lexical_core_set, typiclust, random, or your own.",
    )
    seed: int = Field(0, ge=0, description="Seed of every random choice of the selection.")
    held_out_share: Fraction = Field(
        0.2, description="Share of the queue that comes from the validation and test splits, at random."
    )
    steps: dict[str, Fraction] = Field(
        default_factory=dict,
        description="What else counts, and how much, e.g. {duplicates: 0.9}; 0 or absent: not at all.",
        json_schema_extra=_described(_known_steps),
    )

    @field_validator("strategy", "cold_start")
    @classmethod
    def _strategy_is_there(cls, strategy: str, info: ValidationInfo) -> str:
        lookup = of_selection("lookup")
        if folder := (info.context or {}).get("folder"):
            strategy = lookup.beside(strategy, folder)
        try:
            lookup.find_strategy(strategy)
        except ConfigError as error:
            raise ValueError(str(error)) from None
        return strategy

    @field_validator("steps")
    @classmethod
    def _steps_are_there(cls, steps: dict[str, float]) -> dict[str, float]:
        known = of_selection("reranking").STEPS
        if unknown := sorted(steps.keys() - known.keys()):
            raise ValueError(f"there is no step {unknown[0]!r}; there are {', '.join(known)}")
        return steps
