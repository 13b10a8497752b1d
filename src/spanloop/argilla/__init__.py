"""The door to Argilla: connect, find or create the dataset, read records, write suggestions.

Workspaces, users, datasets and their settings are made, read and checked with Argilla's SDK (`ArgillaClient.sdk`). REST
stays where the SDK keeps no promise of ours: records are read page by page from a time of insertion, in an order, while
people go on working, and are looked up again after a time-out (`records.log` and `rg.Query` offer neither order nor
cursor); a bulk changes only the parts of a record that are ours, where `records.log` replaces all its metadata; a
response is created, never upserted; of a dataset's settings only what differs is sent (`Dataset.update` sends all, and
the server then checks every record anew; reading guidelines into `rg.Settings` opens a file that happens to have that
name); making a dataset is taken up where it broke off (`Dataset.create` deletes it, although the server may have done
the work); a workspace is looked up by its name, for the SDK cannot list workspaces once one of them has a space in its
name; and a user's key is read, which `rg.User` lacks.
"""

from spanloop.argilla.client import ArgillaClient
from spanloop.argilla.connection import connect, needs_prefect
from spanloop.argilla.dataset import DatasetRef, ensure_dataset, find_dataset
from spanloop.argilla.links import queue_link
from spanloop.argilla.pull import pull, pull_submitted
from spanloop.argilla.writing import Scored, WriteReport, write_suggestions

__all__ = [
    "ArgillaClient",
    "DatasetRef",
    "Scored",
    "WriteReport",
    "connect",
    "ensure_dataset",
    "find_dataset",
    "needs_prefect",
    "pull",
    "pull_submitted",
    "queue_link",
    "write_suggestions",
]
