"""Who competes: a query strategy with further settings of the queue, e.g. `mnlp+cost=1+cold_start=random`."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

from spanloop.config import LoopConfig
from spanloop.errors import ConfigError
from spanloop.selection import STEPS, STRATEGIES
from spanloop.selection.lookup import beside, find_strategy

FULL = "full"
"""Who annotates the whole pool at once: what all others are measured against."""
YARDSTICK = "random"

_COLD_START = "cold_start"
_SETTINGS = re.compile(r"(?:\+[a-z_]+=[^+]*)*$")
_PASSES = "scoring.mc_dropout_passes"


@dataclass(frozen=True, slots=True)
class Contender:
    """A way to order the queue.

    Attributes:
        name: As the user wrote it.
        strategy: The value of `selection.strategy`.
        steps: Strength by step, over those of the configuration; of `random` only those named count.
        cold_start: The value of `selection.cold_start`; empty: that of the configuration.
    """

    name: str
    strategy: str
    steps: tuple[tuple[str, float], ...] = ()
    cold_start: str = ""

    @property
    def needs_scores(self) -> bool:
        """Whether its order depends on what a model says of the records."""
        return self.strategy != FULL and (self.strategy not in STRATEGIES or STRATEGIES[self.strategy].is_measure)

    @property
    def key(self) -> str:
        """The name as part of a file's name."""
        if re.fullmatch(r"[a-z_]+", self.name):
            return self.name
        plain = re.sub(r"[^A-Za-z0-9]+", "_", self.name).strip("_")[-40:]
        return f"{plain}.{hashlib.sha256(self.name.encode()).hexdigest()[:6]}"

    def configured(self, config: LoopConfig, seed: int) -> LoopConfig:
        """The configuration of this contender's loop.

        Args:
            config: Of the user's loop.
            seed: Added to the seeds of splits, selection and training, so that all contenders share each of them.
        """
        tree = config.model_dump()
        for section in ("splits", "selection", "training"):
            tree[section]["seed"] += seed
        tree["training"] |= {"num_processes": 1, "report_to": []}
        if self.name != FULL:
            common = {} if self.strategy == YARDSTICK else config.selection.steps
            tree["selection"] |= {"strategy": self.strategy, "steps": {**common, **dict(self.steps)}}
            tree["selection"]["cold_start"] = self.cold_start or config.selection.cold_start
        if not _uses_passes(self.strategy):
            tree["scoring"]["mc_dropout_passes"] = 0
        return LoopConfig.model_validate(tree)


WHOLE_POOL = Contender(FULL, FULL)


def read_contenders(text: str, config: LoopConfig, folder: Path) -> list[Contender]:
    """Read what is to be compared, each once.

    Args:
        text: Names with commas between them.
        config: Of the user's loop.
        folder: Where files of the user's own strategies may lie.

    Raises:
        ConfigError: A strategy or a step is unknown, a strength is no share, or a strategy needs a setting.
    """
    found = [_read(name.strip(), config, folder) for name in text.split(",") if name.strip()]
    if not found:
        raise ConfigError("--strategies names none; e.g. --strategies random,mnlp")
    return list({contender.name: contender for contender in found}.values())


def by_default(config: LoopConfig, more: Sequence[str] = ()) -> str:
    """Random order, the strategy of the configuration, and more, as `read_contenders` reads them."""
    return ",".join(dict.fromkeys([YARDSTICK, config.selection.strategy, *more]))


def _read(name: str, config: LoopConfig, folder: Path) -> Contender:
    settings = _SETTINGS.search(name)
    written = name[: settings.start()] if settings else name
    given = dict(part.split("=", 1) for part in name[len(written) :].split("+")[1:])
    strategy = beside(written, folder)
    needed = find_strategy(strategy).needs
    if needed and not attrgetter(needed)(config):
        raise ConfigError(f"strategy {strategy} needs {needed}, which is 0; set it, or leave {strategy} out")
    cold_start = given.pop(_COLD_START, "")
    if cold_start:
        find_strategy(cold_start)
    steps = tuple((step, _strength(name, step, value)) for step, value in given.items())
    return Contender(name, strategy, steps, cold_start)


def _strength(name: str, step: str, value: str) -> float:
    if step not in STEPS:
        raise ConfigError(f"strategy {name}: there is no step {step!r}; there are {', '.join(STEPS)}, {_COLD_START}")
    try:
        strength = float(value)
    except ValueError:
        strength = -1.0
    if not 0 <= strength <= 1:
        raise ConfigError(f"strategy {name}: the strength of {step} is {value!r}; it is a number from 0 to 1")
    return strength


def _uses_passes(strategy: str) -> bool:
    """Passes with dropout cost time; only who needs them has them, and who is not ours and may."""
    return STRATEGIES[strategy].needs == _PASSES if strategy in STRATEGIES else strategy != FULL
