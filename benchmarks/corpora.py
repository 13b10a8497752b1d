"""The benchmark corpora: JSON lines with `id`, `group`, `text`, `spans`, in `DATA/NAME/{train,dev,test}.jsonl`."""

import json
import os
import random
from dataclasses import dataclass
from pathlib import Path

from spanloop.errors import DataError
from spanloop.records import Example, Span

NAMES = ("tfh_patents", "bc5cdr", "wnut17")


@dataclass(frozen=True, slots=True)
class Corpus:
    """A corpus of spans.

    Attributes:
        name: Its folder.
        labels: Its labels, sorted.
        train: Training examples.
        dev: Validation examples.
        test: Test examples.
    """

    name: str
    labels: list[str]
    train: list[Example]
    dev: list[Example]
    test: list[Example]

    def sample(self, size: int, seed: int) -> list[Example]:
        """`size` training examples at random; all if there are fewer. A smaller sample is part of a larger one."""
        order = list(range(len(self.train)))
        random.Random(seed).shuffle(order)
        return [self.train[i] for i in order[:size]]


def data_folder(given: Path | None) -> Path:
    """The folder of the corpora: what is given, else `$SPANLOOP_DATA`, else `../shared/data`."""
    folder = given or Path(os.environ.get("SPANLOOP_DATA") or "../shared/data")
    if not folder.is_dir():
        raise DataError(f"no benchmark data in {folder}; give --data or set SPANLOOP_DATA")
    return folder


def read_corpus(folder: Path, name: str) -> Corpus:
    """Read one corpus.

    Raises:
        DataError: One of its files is missing.
    """
    train, dev, test = (_read(folder / name / f"{split}.jsonl") for split in ("train", "dev", "test"))
    labels = sorted({span.label for example in train for span in example.spans})
    return Corpus(name, labels, train, dev, test)


def _read(path: Path) -> list[Example]:
    if not path.exists():
        raise DataError(f"{path} is missing; give the folder of the corpora with --data")
    rows = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    return [
        Example(row["id"], row["text"], tuple(sorted(Span(s["start"], s["end"], s["label"]) for s in row["spans"])))
        for row in rows
    ]
