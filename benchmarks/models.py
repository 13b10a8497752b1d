"""Models to benchmark scoring with."""

import json
from pathlib import Path

from transformers import AutoTokenizer, BertConfig, BertForTokenClassification

from benchmarks.corpora import Corpus
from benchmarks.recipes import packed_encoder
from spanloop.config import TrainingConfig
from spanloop.spans import tag_names
from spanloop.training.job import Job, run_job


def trained(corpus: Corpus, size: int, folder: Path) -> Path:
    """Train the packed encoder on a sample of a corpus; returns the model folder."""
    config = TrainingConfig(model_name_or_path=packed_encoder(), num_train_epochs=4, early_stopping_patience=0)
    run_job(Job(corpus.sample(size, 0), corpus.dev[:50], corpus.labels, config, folder / "trained"))
    return folder / "trained"


def random_base(folder: Path) -> Path:
    """Write a model folder with a random encoder of BERT-base size and the packed encoder's tokenizer."""
    names = tag_names(["a", "b", "c", "d"])
    config = BertConfig(id2label=dict(enumerate(names)), label2id={name: i for i, name in enumerate(names)})
    BertForTokenClassification(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(packed_encoder()).save_pretrained(folder)
    about = {"labels": ["a", "b", "c", "d"], "max_length": 256, "stride": 64, "temperature": 1.0}
    (folder / "spanloop.json").write_text(json.dumps(about), encoding="utf-8")
    return folder
