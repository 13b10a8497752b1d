"""The store: one folder with everything that rounds publish."""

from spanloop.store.checking import verify_all
from spanloop.store.contents import KINDS, Kind
from spanloop.store.store import Store

__all__ = ["KINDS", "Kind", "Store", "verify_all"]
