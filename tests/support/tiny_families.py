"""Tiny random encoders of the families that users pick, each with the kind of tokenizer that the family has."""

from pathlib import Path
from typing import Any

import torch
from tiny_models import TOKENIZERS
from transformers import AutoConfig, AutoModel

ARCHITECTURES = {
    "bert": "wordpiece",
    "electra": "wordpiece",
    "distilbert": "wordpiece",
    "mpnet": "wordpiece",
    "modernbert": "byte_level",
    "longformer": "byte_level",
    "roberta": "byte_level",
    "xlm-roberta": "unigram",
    "camembert": "unigram",
    "deberta-v2": "unigram",
    "albert": "unigram",
    "big_bird": "unigram",
    "t5": "unigram",
    "xlnet": "unigram",
}
"""Model types, each with the kind of its tokenizer."""

PACKED = {"bert", "electra", "distilbert", "roberta", "xlm-roberta", "camembert", "albert"}
"""Those that can take windows end to end."""


def save_tiny_family(folder: Path, architecture: str, **changes: Any) -> Path:
    """Write an encoder without a head, as it would be downloaded; `changes` are for its configuration."""
    tokenizer: Any = TOKENIZERS[ARCHITECTURES[architecture]]()
    torch.manual_seed(0)
    sizes = {**sizes_of(architecture, len(tokenizer), tokenizer.pad_token_id), **changes}
    AutoModel.from_config(AutoConfig.for_model(architecture, **sizes)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def sizes_of(architecture: str, vocabulary: int, pad: int) -> dict[str, Any]:
    """Two layers of 32 units, in the words of each architecture."""
    common = {"vocab_size": vocabulary, "pad_token_id": pad, "max_position_embeddings": 130}
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64, **common}
    special = dict.fromkeys(("bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id"), 0)
    match architecture:
        case "distilbert":
            return {**common, "dim": 32, "hidden_dim": 64, "n_layers": 2, "n_heads": 2}
        case "modernbert":
            return {**sizes, **special, "local_attention": 8, "global_attn_every_n_layers": 2}
        case "deberta-v2":
            return {**sizes, "relative_attention": True, "pos_att_type": ["c2p", "p2c"], "position_buckets": 16}
        case "electra" | "albert":
            return {**sizes, "embedding_size": 32}
        case "longformer":
            return {**sizes, "attention_window": 8}
        case "big_bird":
            return {**sizes, "block_size": 4, "num_random_blocks": 1}
        case "t5":
            sizes = {"d_model": 32, "d_kv": 16, "d_ff": 64, "num_layers": 2, "num_heads": 2}
            return {**sizes, "vocab_size": vocabulary, "pad_token_id": pad, "decoder_start_token_id": pad}
        case "xlnet":
            sizes = {"d_model": 32, "d_inner": 64, "n_layer": 2, "n_head": 2}
            return {**sizes, "vocab_size": vocabulary, "pad_token_id": pad}
    return sizes
