"""Real snapshots of made-up sentences."""

from pathlib import Path

from tiny_models import LABELS, people_and_places

from spanloop.config import SplitConfig
from spanloop.records import Annotation
from spanloop.snapshot import build
from spanloop.store import Store


def people_snapshot(root: Path, count: int = 60) -> Path:
    """Publish `people_and_places(count)` as a snapshot of a new store; its folder."""
    annotations = [Annotation(e.id, e.text, e.id, e.spans, ("u",), None) for e in people_and_places(count)]
    return build(Store(root), annotations, LABELS, SplitConfig(validation=0.2, test=0.1)).path
