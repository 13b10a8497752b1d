"""Whether a store is whole."""

from collections.abc import Callable
from typing import Any

from spanloop.errors import StoreError
from spanloop.store.contents import KINDS
from spanloop.store.store import Store


def verify_all(store: Store) -> dict[str, str]:
    """Verify every artifact, and that the champion's model is there.

    Returns:
        The problem by `kind/name`, empty text where all is well.
    """
    report: dict[str, str] = {}
    for kind in KINDS:
        for name in store.names(kind):
            report[f"{kind}/{name}"] = _problem(store.verify, kind, name)
    report["champion"] = _problem(_check_champion, store)
    return report


def _check_champion(store: Store) -> None:
    if champion := store.champion():
        store.path("models", champion)


def _problem(check: Callable[..., None], *arguments: Any) -> str:
    try:
        check(*arguments)
    except StoreError as error:
        return str(error)
    return ""
