"""Model folders with random weights, large enough that context, position and label all matter."""

import json
from pathlib import Path
from typing import Any

import torch
from tiny_families import ARCHITECTURES, sizes_of
from tiny_models import LABELS, TOKENIZERS
from transformers import AutoConfig, AutoModelForTokenClassification

from spanloop.model.surface import CLASSES, Feature
from spanloop.spans import tag_names
from spanloop.training.families import fit_config


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
    config = AutoConfig.for_model(architecture, **sizes_of(architecture, len(tokenizer), tokenizer.pad_token_id))
    config.id2label, config.label2id = dict(enumerate(names)), {name: i for i, name in enumerate(names)}
    if surface_features:
        config.type_vocab_size = CLASSES
    fit_config(config)
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
