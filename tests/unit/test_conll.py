"""CoNLL files: tokens become text, tags become spans, documents become groups."""

from pathlib import Path

import pytest

from spanloop.config import LoopConfig
from spanloop.errors import DataError
from spanloop.importing import Imported, open_source, parse_records
from spanloop.records import Span

FILE = """-DOCSTART- -X- -X- O

EU NNP B-NP B-ORG
rejects VBZ B-VP O
New JJ B-NP B-LOC
York JJ I-NP I-LOC

-DOCSTART- -X- -X- O

Peter NNP B-NP I-PER
"""


def read(folder: Path, text: str) -> list[Imported]:
    path = folder / "train.conll"
    path.write_text(text, encoding="utf-8")
    return list(parse_records(open_source(str(path)), LoopConfig(), annotated=True))


def test_sentences_spans_and_documents(tmp_path: Path) -> None:
    first, second = read(tmp_path, FILE)
    assert (first.text, second.text) == ("EU rejects New York", "Peter")
    assert first.spans == (Span(0, 2, "ORG"), Span(11, 19, "LOC"))
    assert second.spans == (Span(0, 5, "PER"),)
    assert (first.id, second.id) == ("train-1", "train-2")
    assert first.group != second.group


def test_a_wrong_tag_names_its_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"train\.conll, line 1: tag 'X-ORG'"):
        read(tmp_path, "EU X-ORG\n")
