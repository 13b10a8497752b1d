"""What other libraries say goes into one line of ours, also where they say nothing."""

import re
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertForTokenClassification

import spanloop
from spanloop.errors import TrainingError, first_line
from spanloop.scoring import int8


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (RuntimeError("one\ntwo"), "one"),
        (RuntimeError("\n  late  \n"), "late"),
        (NotImplementedError(), "NotImplementedError"),
        (OSError(" \n "), "OSError"),
    ],
)
def test_the_first_line_of_an_error(error: Exception, line: str) -> None:
    assert first_line(error) == line


def test_an_error_without_a_word_is_no_traceback() -> None:
    def logits() -> torch.Tensor:
        raise NotImplementedError

    config = BertConfig(vocab_size=8, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8)
    with pytest.raises(TrainingError, match=r"int8 does not work here \(NotImplementedError\); set scoring.backend"):
        int8.quantize(BertForTokenClassification(config).eval(), 1, logits)


def test_nobody_takes_the_first_line_of_an_error_by_hand() -> None:
    sources = Path(spanloop.__file__).parent.rglob("*.py")
    by_hand = [p.name for p in sources if re.search(r"str\(error\)[^\n]*splitlines\(\)\[0\]", p.read_text("utf-8"))]
    assert by_hand == []
