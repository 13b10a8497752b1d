"""Whose a dataset is, as Argilla keeps it: a lease in the title of a metadata property that annotators do not see.

Of what Argilla lets a client keep with a dataset this serves best. The name of a property is unique, so that of two
stores that come first one wins. Its title is changed in one request that does nothing else, where any change of the
dataset itself makes the server check all answered records anew. And a round lists the properties anyway.
"""

import re
from dataclasses import dataclass
from typing import Any, Self

from spanloop.argilla.client import ArgillaClient
from spanloop.argilla.dataset import DatasetRef
from spanloop.argilla.properties import create_property

LEASE = "spanloop_store"
_MOST = 500  # characters of a title
_TITLE = re.compile(
    r"spanloop store (?P<store>[0-9a-f]{32}) at (?P<at>\S+), lease (?P<token>[0-9a-f]{16}), "
    r"on (?P<host>\S+): (?P<folder>.*)",
    re.DOTALL,
)

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Lease:
    """That a store holds a dataset.

    Attributes:
        store: Its id, 32 hex digits.
        at: When its last round began, ISO 8601 in UTC.
        token: Another one for every round, 16 hex digits: a copy of the store does not know it.
        host: The machine that the round ran on.
        folder: Where the store lies there.
    """

    store: str
    at: str
    token: str
    host: str
    folder: str

    @property
    def title(self) -> str:
        """The lease as the property's title."""
        text = f"spanloop store {self.store} at {self.at}, lease {self.token}, on {self.host}: {self.folder}"
        return text[:_MOST]

    @classmethod
    def of(cls, held: Json) -> Self | None:
        """The lease in a property; None where somebody gave it a title of their own."""
        found = _TITLE.fullmatch(held["title"])
        return cls(**found.groupdict()) if found else None

    def __str__(self) -> str:
        """The store in words."""
        return f"store {self.store[:8]} ({self.folder} on {self.host}, last round {self.at})"


def write_lease(client: ArgillaClient, dataset: DatasetRef, lease: Lease, held: Json | None) -> Json:
    """Put a lease into the dataset.

    Args:
        client: The connection.
        dataset: The dataset.
        lease: The lease.
        held: The property `LEASE` as it is; None if there is none.

    Returns:
        The property as it is then: another's lease, where that one came first to a dataset without any.
    """
    body: Json = {"title": lease.title, "visible_for_annotators": False}
    if held:
        return dict(client.patch(f"metadata-properties/{held['id']}", body))
    return create_property(client, dataset, {"name": LEASE, "settings": {"type": "terms"}, **body})
