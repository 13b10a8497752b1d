"""Snapshots: immutable, content-addressed versions of the data set."""

from spanloop.snapshot.versions import SnapshotInfo, build, current, load, read_examples, read_labels

__all__ = ["SnapshotInfo", "build", "current", "load", "read_examples", "read_labels"]
