"""Model folders with random weights, large enough that context, position and label all matter."""

import json
from pathlib import Path
from typing import Any

import torch
from tiny_models import LABELS, TOKENIZERS
from transformers import AutoConfig, AutoModelForTokenClassification

from spanloop.model.surface import CLASSES, Feature
from spanloop.spans import tag_names

ARCHITECTURES = {
    "bert": "wordpiece",
    "electra": "wordpiece",
    "distilbert": "wordpiece",
    "modernbert": "wordpiece",
    "deberta-v2": "wordpiece",
    "roberta": "byte_level",
    "xlm-roberta": "unigram",
}
"""Model types, each with the kind of its tokenizer."""


def save_tiny_scorer(
    folder: Path,
    architecture: str = "bert",
    *,
    max_length: int = 32,
    stride: int = 8,
    surface_features: tuple[Feature, ...] = (),
) -> Path:
    """Write a random token classifier as a model folder of spanloop."""
    tokenizer: Any = TOKENIZERS[ARCHITECTURES[architecture]]()
    names = tag_names(LABELS)
    config = AutoConfig.for_model(architecture, **_sizes(architecture, len(tokenizer), tokenizer.pad_token_id))
    config.id2label, config.label2id = dict(enumerate(names)), {name: i for i, name in enumerate(names)}
    if surface_features:
        config.type_vocab_size = CLASSES
    torch.manual_seed(0)
    model = AutoModelForTokenClassification.from_config(config)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() > 1:
                weight.mul_(100.0 if "classifier" in name else 8.0)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    about = {"labels": LABELS, "surface_features": surface_features, "max_length": max_length, "stride": stride}
    (folder / "spanloop.json").write_text(json.dumps(about))
    return folder


def _sizes(architecture: str, vocabulary: int, pad: int) -> dict[str, Any]:
    common = {"vocab_size": vocabulary, "pad_token_id": pad, "max_position_embeddings": 130}
    if architecture == "distilbert":
        return {**common, "dim": 32, "hidden_dim": 64, "n_layers": 2, "n_heads": 2}
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64, **common}
    if architecture == "modernbert":
        special = dict.fromkeys(("bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id"), 0)
        return {**sizes, **special, "local_attention": 8, "global_attn_every_n_layers": 2}
    if architecture == "deberta-v2":
        return {**sizes, "relative_attention": True, "pos_att_type": ["c2p", "p2c"], "position_buckets": 16}
    return {**sizes, "embedding_size": 32} if architecture == "electra" else sizes
