"""Load an encoder with a fresh head for the labels, or the model in service to go on from."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoConfig, AutoModelForTokenClassification, AutoTokenizer

from spanloop.errors import TrainingError, first_line
from spanloop.model.quiet import quiet_transformers
from spanloop.training.families import fit_config

log = logging.getLogger(__name__)

_NEW_ROWS = 0.02
"""Standard deviation of a new label's row in the head, BERT's initializer range."""


def load_model(name_or_path: str, names: Sequence[str], seed: int) -> tuple[Any, Any]:
    """Load a model and its tokenizer for some tags.

    The head's rows of tags that the model already knows are kept (a warm start); others are drawn with `seed`.

    Args:
        name_or_path: A model id of the Hugging Face Hub, or a folder.
        names: Names of the tags.
        seed: Seed of new weights.

    Returns:
        The `PreTrainedModel` (fp32, in training mode) and its fast tokenizer.

    Raises:
        TrainingError: There is no such model, it cannot be read, or it is of a family without token classifiers.
    """
    torch.manual_seed(seed)
    try:
        with quiet_transformers():
            config = AutoConfig.from_pretrained(name_or_path)
            fit_config(config)
            known = dict(config.id2label or {})
            head = _old_head(name_or_path, known, names)
            config.id2label = dict(enumerate(names))
            config.label2id = {name: i for i, name in enumerate(names)}
            model = AutoModelForTokenClassification.from_pretrained(
                name_or_path, config=config, dtype=torch.float32, ignore_mismatched_sizes=True
            )
            tokenizer = AutoTokenizer.from_pretrained(name_or_path)
    except (OSError, ValueError, KeyError, ImportError, RuntimeError) as error:
        reason = first_line(error)
        raise TrainingError(
            f"encoder {name_or_path!r} cannot be loaded ({reason}); give a folder or a reachable model id of the Hub"
        ) from None
    if head:
        _copy_head(model, head, known, names)
    return model.train(), tokenizer


def head_parameters(model: Any) -> set[str]:
    """Names of the parameters outside the encoder: the head."""
    prefix = model.base_model_prefix + "."
    return {name for name, _ in model.named_parameters() if not name.startswith(prefix)}


def begin_at(model: Any, logits: np.ndarray) -> None:
    """Let a fresh head give all words the same logits, `(n_outputs,)`, but for what its random weights add."""
    heads = head_parameters(model)
    with torch.no_grad():
        for name, bias in model.named_parameters():
            if name in heads and bias.shape == logits.shape:
                bias.copy_(torch.from_numpy(logits))


def _old_head(name_or_path: str, known: dict[int, str], names: Sequence[str]) -> dict[str, torch.Tensor]:
    """Head weights of a spanloop model whose labels differ; empty where the head fits or there is none."""
    if list(known.values()) == list(names) or not (Path(name_or_path) / "spanloop.json").exists():
        return {}
    old = AutoModelForTokenClassification.from_pretrained(name_or_path, dtype=torch.float32)
    heads = head_parameters(old)
    return {name: value.detach() for name, value in old.named_parameters() if name in heads}


def _copy_head(model: Any, head: dict[str, torch.Tensor], known: dict[int, str], names: Sequence[str]) -> None:
    """Copy the rows of tags that both schemes have, and whole tensors that have no row a tag; draw new rows."""
    pairs = [(names.index(name), i) for i, name in known.items() if name in names]
    new, old = (torch.tensor(x, dtype=torch.long) for x in zip(*pairs, strict=True))
    with torch.no_grad():
        for name, value in model.named_parameters():
            if name not in head:
                continue
            if head[name].shape[0] != len(known):
                value.copy_(head[name])
                continue
            value.normal_(0.0, _NEW_ROWS) if value.ndim > 1 else value.zero_()
            value[new] = head[name][old]
