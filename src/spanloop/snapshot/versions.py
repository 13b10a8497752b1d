"""Snapshots: immutable, content-addressed versions of the data set, e.g. `v0007-3fa9c1d2`.

The number counts the snapshots of a store; the eight digits are the hash of the content: ids, groups, texts, spans, the
label scheme and the split. The same submitted records give the same hash, on every machine and in any order.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spanloop.annotations.agreement import AgreementReport
from spanloop.config import SplitConfig, Splits
from spanloop.durable import to_json
from spanloop.records import SPLITS, Annotation, Example, Span, Split
from spanloop.snapshot.card import card
from spanloop.snapshot.changes import changes_since, digest_annotations
from spanloop.snapshot.integrity import check_annotations
from spanloop.snapshot.table import load_splits, read_columns, write_splits
from spanloop.spans import LostSpan
from spanloop.store import Store
from spanloop.store.artifacts import MANIFEST, read_manifest

if TYPE_CHECKING:
    from datasets import DatasetDict

_FORMAT = 1
CHANGES_FILE = "changes.json"


@dataclass(frozen=True, slots=True)
class SnapshotInfo:
    """What `build` published, or found.

    Attributes:
        version: E.g. `v0007-3fa9c1d2`.
        path: Its folder.
        new: Was it published now? Otherwise the newest snapshot holds exactly this content already.
        counts: Records by split.
        added: Records that the snapshot before it lacks; 0 if not new, as for the next two.
        changed: Records that were different in it.
        removed: Records that only it has.
        lost: Spans that annotators marked and that are not in the snapshot.
    """

    version: str
    path: Path
    new: bool
    counts: dict[Split, int]
    added: int
    changed: int
    removed: int
    lost: tuple[LostSpan, ...]


def version_hash(
    digests: Mapping[str, bytes],
    labels: Sequence[str],
    splits: SplitConfig,
    kept: dict[str, Split] | None = None,
) -> str:
    """Hash the content of a data set.

    Args:
        digests: Of its annotations, as `digest_annotations` gives them.
        labels: The label scheme; its order counts, since it is the order of a model's outputs.
        splits: Seed and shares.
        kept: The splits of the groups that were dealt otherwise, before the seed or a share was changed.

    Returns:
        8 hexadecimal digits.
    """
    head: dict[str, Any] = {"format": _FORMAT, "labels": list(labels), "splits": splits.model_dump()}
    if kept:
        head["kept"] = kept
    content = hashlib.sha256(json.dumps(head, sort_keys=True).encode("ascii"))
    for digest in digests.values():
        content.update(digest)
    return content.hexdigest()[:8]


def current(store: Store) -> str | None:
    """The newest snapshot of a store; None while there is none."""
    names = store.names("snapshots")
    return names[-1] if names else None


def build(
    store: Store,
    annotations: Sequence[Annotation],
    labels: Sequence[str],
    splits: SplitConfig,
    agreement: AgreementReport | None = None,
    *,
    dealing: Splits | None = None,
    lost: Sequence[LostSpan] = (),
    moved: Sequence[LostSpan] = (),
) -> SnapshotInfo:
    """Publish annotations as a snapshot, unless the newest one holds exactly them.

    Args:
        store: Where to.
        annotations: One a record, in any order.
        labels: The label scheme, in its order.
        splits: How groups are dealt.
        agreement: Goes into the manifest and the card.
        dealing: Knows the groups that were dealt before; None: none were.
        lost: What `annotations.resolve` lost; goes into the manifest, by record.
        moved: What it trimmed; likewise.

    Returns:
        The snapshot.

    Raises:
        LabelError: No labels are configured, or a span carries one that is not; names the record.
        DataError: A record has no text, stands twice, or has spans of one label that overlap, or ones outside of it.
        StoreError: The store is corrupt, full, or held by a newer round.
    """
    rows = sorted(annotations, key=lambda annotation: annotation.record_id)
    parent = current(store)
    check_annotations(rows, labels)
    digests, dealt = digest_annotations(rows), _deal(rows, dealing or splits)
    settings = [splits, *([_splits_of(store, parent)] if parent else [])]  # the parent may hold the same by others
    hashes = [version_hash(digests, labels, x, _kept(dealt, x)) for x in settings]
    if parent and any(parent.endswith(f"-{digest}") for digest in hashes):
        return _info(store.path("snapshots", parent), new=False)
    version = store.next_name("snapshots", hashes[0])
    changes = changes_since(store.path("snapshots", parent) if parent else None, digests)

    def write(folder: Path) -> None:
        tagging = write_splits(folder, dealt, labels, version)
        manifest = {
            "kind": "snapshot",
            "format": _FORMAT,
            "version": version,
            "parent": parent,
            "changes": {name: len(ids) for name, ids in changes.ids().items()},
            "agreement": asdict(agreement) if agreement else None,
            "lost": [asdict(span) for span in lost],
            "moved": [asdict(span) for span in moved],
            "refined": tagging.refined,
            "overlapping": tagging.overlapping,
            **_content(dealt, labels, splits),
        }
        _write_documents(folder, manifest, changes.ids())

    return _info(store.publish("snapshots", version, write), new=True)


def _content(dealt: Mapping[Split, Sequence[Annotation]], labels: Sequence[str], splits: SplitConfig) -> dict[str, Any]:
    """The part of the manifest that says how records are dealt, and counts what the splits hold."""
    return {
        "splits": splits.model_dump(),
        "kept": _kept(dealt, splits),
        "labels": list(labels),
        "records": {split: len(rows) for split, rows in dealt.items()},
        "spans": {split: _count_labels(rows, labels) for split, rows in dealt.items()},
        "annotators": len({user for rows in dealt.values() for row in rows for user in row.annotators}),
    }


def _write_documents(folder: Path, manifest: dict[str, Any], changed: Mapping[str, Sequence[str]]) -> None:
    """Write what changed, the card, and the manifest."""
    (folder / CHANGES_FILE).write_text(to_json(changed), encoding="utf-8")
    (folder / "README.md").write_text(card(manifest), encoding="utf-8")
    (folder / MANIFEST).write_text(to_json(manifest), encoding="utf-8")


def load_snapshot(store: Store | Path, version: str) -> "DatasetDict":
    """Load a snapshot as a DatasetDict.

    Returns:
        `train`, `validation` and `test`, any of which may be empty, memory-mapped.

    Raises:
        StoreError: There is no such snapshot, or it is corrupt.
    """
    store = store if isinstance(store, Store) else Store(store)
    store.verify("snapshots", version)
    return load_splits(store.path("snapshots", version))


def read_examples(snapshot_path: Path, split: Split) -> list[Example]:
    """The texts of a split with their gold spans and groups, sorted by id.

    Raises:
        StoreError: A file is missing or corrupt; names it.
    """
    columns = read_columns(snapshot_path, split, ["id", "text", "spans", "group"])
    return [Example(*row) for row in zip(*columns.values(), strict=True)]


def read_labels(snapshot_path: Path) -> list[str]:
    """The label scheme of a snapshot, in the order of the Argilla question.

    Raises:
        StoreError: The manifest is missing or corrupt.
    """
    return list(read_manifest(snapshot_path)["labels"])


def _deal(rows: Sequence[Annotation], splits: Splits) -> dict[Split, list[Annotation]]:
    dealt: dict[Split, list[Annotation]] = {split: [] for split in SPLITS}
    for row in rows:
        dealt[splits.split_of(row.group)].append(row)
    return dealt


def _kept(dealt: Mapping[Split, Sequence[Annotation]], splits: SplitConfig) -> dict[str, Split]:
    """The groups that are not where these settings would deal them."""
    return {row.group: split for split, rows in dealt.items() for row in rows if splits.split_of(row.group) != split}


def _splits_of(store: Store, version: str) -> SplitConfig:
    return SplitConfig.model_validate(store.manifest("snapshots", version)["splits"])


def _count_labels(rows: Iterable[Annotation], labels: Sequence[str]) -> dict[str, int]:
    counts = Counter(span.label for row in rows for span in row.spans)
    return {label: counts[label] for label in labels}


def _info(path: Path, *, new: bool) -> SnapshotInfo:
    manifest = read_manifest(path)
    changes: Mapping[str, int] = manifest["changes"] if new else {}
    return SnapshotInfo(
        version=manifest["version"],
        path=path,
        new=new,
        counts=manifest["records"],
        added=changes.get("added", 0),
        changed=changes.get("changed", 0),
        removed=changes.get("removed", 0),
        lost=tuple(LostSpan(x["record_id"], Span(**x["span"]), x["reason"]) for x in manifest["lost"]),
    )
