"""Files of a store that are corrupt: out of the way, for somebody to look at."""

from pathlib import Path
from uuid import uuid4

from spanloop.durable import told_as_store_errors
from spanloop.store.store import Store


def set_file_aside(store: Store, name: str) -> Path:
    """Move a file at the top of a store to `damaged/`, where no round removes it.

    Returns:
        Where it is.

    Raises:
        StoreError: It is not there, or the disk refuses.
    """
    there = store.root / "damaged" / f"{name}.{uuid4().hex[:8]}"
    with told_as_store_errors(f"set {name} aside", store.root), store.unchanging():
        there.parent.mkdir(exist_ok=True)
        (store.root / name).rename(there)
    return there
