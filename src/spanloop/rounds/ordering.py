"""From pending records and what is known of them to the annotators' queue: for a round, and for a rehearsal of one."""

from collections.abc import Sequence
from typing import TypedDict

from spanloop.config import LoopConfig
from spanloop.selection import Pending, prioritise, uncertainties


class Queue(TypedDict):
    """The annotators' queue, by record id.

    Attributes:
        priority: In 0..1, higher is sooner.
        uncertainty: The model's doubt, of the records that it scored.
    """

    priority: dict[str, float]
    uncertainty: dict[str, float]


def put_in_order(pending: Sequence[Pending], config: LoopConfig) -> Queue:
    """Give every pending record its place.

    Args:
        pending: Records that nobody has answered, with the statistics of those that the model in service scored.
        config: Strategy, steps, held-out share, splits.

    Returns:
        The queue; the same for the same records, configuration and seed, in whatever order the records come.

    Raises:
        ConfigError: The strategy needs statistics that the scoring pass did not make, or returned no values.
    """
    priority = prioritise(pending, config.selection, config.splits)
    return Queue(priority=priority, uncertainty=uncertainties(pending, config.selection))
