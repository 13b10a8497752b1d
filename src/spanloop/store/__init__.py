"""The store: one folder with everything that rounds publish."""

from spanloop.store.store import KINDS, Kind, Store

__all__ = ["KINDS", "Kind", "Store"]
