"""Files of a store that are corrupt: out of the way, for somebody to look at."""

from pathlib import Path

from spanloop.durable import told_as_store_errors
from spanloop.store.contents import place_aside
from spanloop.store.store import Store


def set_file_aside(store: Store, name: str) -> Path:
    """Move a file at the top of a store to `damaged/`, where no round removes it.

    Returns:
        Where it is.

    Raises:
        StoreError: It is not there, or the disk refuses.
    """
    with told_as_store_errors(f"set {name} aside", store.root), store.unchanging():
        there = place_aside(store.root, name)
        (store.root / name).rename(there)
    return there
