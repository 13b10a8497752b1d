"""Models to benchmark scoring with."""

from collections.abc import Iterable
from pathlib import Path

from transformers import AutoTokenizer, BertConfig

from benchmarks.corpora import Corpus
from benchmarks.random_models import word_pieces, write_random
from benchmarks.recipes import packed_encoder
from spanloop.config import TrainingConfig
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
    tokenizer = word_pieces(texts, 2000)
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    return write_random(folder, tokenizer, BertConfig(vocab_size=len(tokenizer), **sizes))


def random_base(folder: Path) -> Path:
    """Write a model folder with a random encoder of BERT-base size and the packed encoder's tokenizer."""
    return write_random(folder, AutoTokenizer.from_pretrained(packed_encoder()), BertConfig())
