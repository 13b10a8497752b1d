"""Which split a record belongs to: a pure function of its group, fixed before anybody annotates."""

import hashlib

from spanloop.config import SplitConfig
from spanloop.records import Split


def split_of(group: str, config: SplitConfig) -> Split:
    """Deal a group to train, validation or test by its hash.

    The unit interval is cut into test, validation, train, in this order: a larger validation share takes groups from
    train and leaves the test set as it is.

    Args:
        group: The document that the record comes from.
        config: Seed and shares.

    Returns:
        The split, the same for every record of the group, on every machine.
    """
    digest = hashlib.sha256(f"{config.seed}\0{group}".encode("utf-8", "surrogatepass")).digest()
    position = int.from_bytes(digest[:8], "big") / 2**64
    if position < config.test:
        return "test"
    return "validation" if position < config.test + config.validation else "train"
