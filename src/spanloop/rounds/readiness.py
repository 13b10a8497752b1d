"""Has the round enough annotated records to train a model and to judge it?"""

from collections.abc import Mapping
from dataclasses import dataclass

from spanloop.config import RoundConfig
from spanloop.records import Split


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether a model can be trained and judged, and in words what is missing.

    Attributes:
        ready: True when every split has what it needs.
        message: "12 submitted for training, 20 needed; the test split has 1, 5 needed", or what there is.
    """

    ready: bool
    message: str


def readiness(counts: Mapping[Split, int], config: RoundConfig) -> Readiness:
    """Compare the annotated records of each split with what the round needs.

    Args:
        counts: Annotated records of each split; a split that is absent has none.
        config: The least of each split.

    Returns:
        The verdict, with every number that matters.
    """
    needed: dict[Split, int] = {
        "train": config.min_train,
        "validation": config.min_validation,
        "test": config.min_test,
    }
    have = {split: counts.get(split, 0) for split in needed}
    if missing := [_missing(split, have[split], needed[split]) for split in needed if have[split] < needed[split]]:
        return Readiness(False, "; ".join(missing))
    return Readiness(True, ", ".join(f"{split} {n}" for split, n in have.items()))


def _missing(split: Split, have: int, needed: int) -> str:
    if split == "train":
        return f"{have} submitted for training, {needed} needed"
    return f"the {split} split has {have}, {needed} needed"
