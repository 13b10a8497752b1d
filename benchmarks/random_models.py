"""Models with random weights and tokenizers made on the spot: speed only, and no hub."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing
from tokenizers.trainers import WordPieceTrainer
from transformers import AutoModelForTokenClassification, PretrainedConfig, PreTrainedTokenizerFast

from spanloop.model.quiet import quiet_transformers
from spanloop.spans import tag_names

LABELS = ("a", "b", "c", "d")
_OUTSIDE = 3.0  # log-odds by which the random head prefers `O`: most words lie outside of spans


def word_pieces(texts: Iterable[str], size: int) -> PreTrainedTokenizerFast:
    """A tokenizer as BERT's uncased one, trained on texts to a vocabulary of at most `size`."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    tokenizer = Tokenizer(WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    trainer = WordPieceTrainer(vocab_size=size, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    ends = [(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names)


def write_random(
    folder: Path, tokenizer: Any, config: PretrainedConfig, max_length: int = 256, labels: Sequence[str] = LABELS
) -> Path:
    """Write a model folder of spanloop with random weights; returns it."""
    config.id2label = dict(enumerate(tag_names(labels)))
    config.label2id = {name: i for i, name in config.id2label.items()}
    torch.manual_seed(0)
    with quiet_transformers():
        model = AutoModelForTokenClassification.from_config(config)
        with torch.no_grad():
            model.classifier.bias[0] = _OUTSIDE
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    about = {"labels": list(labels), "max_length": max_length, "stride": max_length // 4}
    (folder / "spanloop.json").write_text(json.dumps(about), encoding="utf-8")
    return folder
