"""Models to benchmark scoring with."""

import json
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing
from tokenizers.trainers import WordPieceTrainer
from transformers import AutoTokenizer, BertConfig, BertForTokenClassification, PreTrainedTokenizerFast

from benchmarks.corpora import Corpus
from benchmarks.recipes import packed_encoder
from spanloop.config import TrainingConfig
from spanloop.model.quiet import quiet_transformers
from spanloop.spans import tag_names
from spanloop.training.job import Job, run_job


def trained(corpus: Corpus, size: int, folder: Path) -> Path:
    """Train the packed encoder on a sample of a corpus; returns the model folder."""
    config = TrainingConfig(
        model_name_or_path=packed_encoder(), num_train_epochs=4, folds=0,
        surface_features=False,  # the pipeline knows none: both are to see the same
    )  # fmt: skip
    run_job(Job(corpus.sample(size, 0), corpus.labels, config, folder / "trained"))
    return folder / "trained"


def tiny(folder: Path, texts: Iterable[str]) -> Path:
    """Write a model folder with a random encoder of one small layer and a tokenizer trained on the texts."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    tokenizer = Tokenizer(WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = BertPreTokenizer()
    trainer = WordPieceTrainer(vocab_size=2000, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    ends = [(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]").save_pretrained(folder)
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    return _random(folder, BertConfig(vocab_size=tokenizer.get_vocab_size(), **sizes))


def random_base(folder: Path) -> Path:
    """Write a model folder with a random encoder of BERT-base size and the packed encoder's tokenizer."""
    AutoTokenizer.from_pretrained(packed_encoder()).save_pretrained(folder)
    return _random(folder, BertConfig())


def _random(folder: Path, config: BertConfig) -> Path:
    labels = ["a", "b", "c", "d"]
    config.id2label = dict(enumerate(tag_names(labels)))
    config.label2id = {name: i for i, name in config.id2label.items()}
    with quiet_transformers():
        BertForTokenClassification(config).save_pretrained(folder)
    about = {"labels": labels, "max_length": 256, "stride": 64}
    (folder / "spanloop.json").write_text(json.dumps(about), encoding="utf-8")
    return folder
