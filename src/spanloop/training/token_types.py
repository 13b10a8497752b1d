"""Encoders learn to read the surface of a word as the token type of its subwords (see `surface`)."""

from typing import Any

import torch

from spanloop.model.surface import CLASSES


def teach_surface(model: Any) -> bool:
    """Give the encoder a token type for each class of surface.

    All rows begin as the pretrained first one, so that training starts from the encoder as it is.

    Args:
        model: A token classifier, changed in place.

    Returns:
        Whether the encoder has token types at all.
    """
    embeddings = getattr(getattr(model.base_model, "embeddings", None), "token_type_embeddings", None)
    if not isinstance(embeddings, torch.nn.Embedding):
        return False
    if embeddings.num_embeddings < CLASSES:
        embeddings.weight = torch.nn.Parameter(embeddings.weight.detach()[:1].repeat(CLASSES, 1))
        embeddings.num_embeddings = model.config.type_vocab_size = CLASSES
    return True


def surface_parameters(model: Any) -> set[str]:
    """Names of the parameters that hold the classes; empty where the model was not taught them."""
    name = f"{model.base_model_prefix}.embeddings.token_type_embeddings.weight"
    return {name} & {known for known, parameter in model.named_parameters() if len(parameter) == CLASSES}
