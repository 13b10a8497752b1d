"""The dataset card of a snapshot: its `README.md`, drawn from the manifest."""

from collections.abc import Iterable, Mapping
from typing import Any

from spanloop.records import SPLITS

_HEAD = """---
pretty_name: spanloop {version}
task_categories:
- token-classification
task_ids:
- named-entity-recognition
tags:
- spanloop
- active-learning
size_categories:
- {size}
---

# {version}

A snapshot of span annotations, published by spanloop: {records} records with {spans} spans, by {annotators}.

{changes}

"""

_COLUMNS = """
## Columns

| column | content |
|---|---|
| `id`, `group` | the record, and the document that it came from; records of one group are in one split |
| `text` | the text that was annotated |
| `spans` | `start`, `end` (half-open, Unicode code points of `text`) and `label`: exactly what annotators agreed on |
| `tokens` | words of `text`, cut also where a tagged span begins or ends inside one, so that the tags hold it exactly |
| `ner_tags` | one IOB2 tag a word; where spans overlap they hold the longest, and `spans` holds all |
| `annotators` | ids of those whose answers were used |
| `agreement` | mean pairwise exact-span F1 of a record's annotators; null with fewer than two |

## Splits

A record's split is the hash of its group with the seed {seed}, fixed before anybody annotates: {validation:.0%} of the
groups are for validation and trained on too, {test:.0%} for the test.{kept}

## Use

```python
from datasets import load_from_disk

data = load_from_disk("snapshots/{version}")
```
"""


def card(manifest: Mapping[str, Any]) -> str:
    """Draw the dataset card from a manifest: markdown with a YAML head, as the Hugging Face Hub reads it."""
    counts, labels = manifest["records"], manifest["labels"]
    records = sum(counts.values())
    by_split = {split: manifest["spans"].get(split, {}) for split in SPLITS}
    spans = sum(n for by_label in by_split.values() for n in by_label.values())
    head = _HEAD.format(
        version=manifest["version"],
        size=_size_category(records),
        records=records,
        spans=spans,
        annotators=_plural(manifest["annotators"], "annotator"),
        changes=_changes(manifest),
    )
    rows: list[list[object]] = [["records", *(counts[split] for split in SPLITS)]]
    rows += [[f"`{label}`", *(by_split[split].get(label, 0) for split in SPLITS)] for label in labels]
    parts = [head, _table(["", *SPLITS], rows), _agreement(manifest), _losses(manifest)]
    kept = f" {_plural(len(manifest['kept']), 'group')} dealt by earlier settings stayed." if manifest["kept"] else ""
    parts.append(_COLUMNS.format(version=manifest["version"], kept=kept, **manifest["splits"]))
    return "".join(parts)


def _changes(manifest: Mapping[str, Any]) -> str:
    changes = manifest["changes"]
    if manifest["parent"] is None:
        return "It is the first snapshot."
    told = ", ".join(f"{changes[name]} {name}" for name in ("added", "changed", "removed"))
    return f"Since {manifest['parent']}: {told}; `changes.json` names the records."


def _agreement(manifest: Mapping[str, Any]) -> str:
    report = manifest["agreement"]
    if not report or not report["records"]:
        return "\n## Agreement\n\nNo record was submitted by two annotators.\n"
    text = f"\n## Agreement\n\nOn {_plural(report['records'], 'record')} that at least two annotators submitted: "
    text += f"pairwise exact-span F1 {_figure(report['pairwise_f1'])}.\n\n"
    return text + _table(
        ["label", "Krippendorff's alpha"], [[f"`{k}`", _figure(v)] for k, v in report["alpha"].items()]
    )


def _losses(manifest: Mapping[str, Any]) -> str:
    lost, moved, refined, overlapping = (len(manifest[x]) for x in ("lost", "moved", "refined", "overlapping"))
    return (
        f"\n## Spans not as marked\n\n{lost} dropped, {moved} with white space trimmed; in {refined} records words "
        f"were cut at a span's boundary; in {overlapping} records spans overlap. `manifest.json` names them.\n"
    )


def _table(head: list[str], rows: Iterable[Iterable[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(str(cell) for cell in line) + " |\n" for line in lines)


def _figure(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"


def _plural(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _size_category(n: int) -> str:
    """The Hub's words for a number of rows."""
    for limit, below in ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M")):
        if n < limit:
            return below
    return "1M<n<10M"
