"""The door to Argilla: find or create the dataset, read records, write suggestions."""

from spanloop.argilla.client import ArgillaClient
from spanloop.argilla.dataset import DatasetRef, ensure_dataset, find_dataset, queue_link
from spanloop.argilla.pull import pull, pull_pending, pull_submitted
from spanloop.argilla.writing import Scored, WriteReport, write_suggestions

__all__ = [
    "ArgillaClient",
    "DatasetRef",
    "Scored",
    "WriteReport",
    "ensure_dataset",
    "find_dataset",
    "pull",
    "pull_pending",
    "pull_submitted",
    "queue_link",
    "write_suggestions",
]
