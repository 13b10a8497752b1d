"""Tiny random encoders with small tokenizers: no hub, a second a training, the same in every process."""

from pathlib import Path
from typing import Any

import torch
from transformers import BertConfig, BertForTokenClassification, PreTrainedTokenizerFast, RobertaConfig
from transformers import RobertaForTokenClassification as RobertaModel

from spanloop.records import Example, Span

SENTENCES = [
    "In the U.S., Ada Lovelace (London) wrote: it's 3.14!",
    "Ångström visited São Paulo, Kraków and Zürich.",
    "The magneto-resistive head (MR) has a thin-film coil; see FIG. 2.",
    "東京タワー is in Tokyo… and مرحبا means hello 👩\u200d👩\u200d👧.",
    "naïve café résumé, co\u00adoperate; x_y = $5.00 (10%)",
    "Acme Corp.'s CEO, Bo Li, met Mr. O'Neil at 10:30 in Paris.",
]
LABELS = ["PER", "LOC"]
_NAMES = ["Ada", "Bo", "Cleo", "Dan", "Eve", "Finn", "Gus", "Hana"]
_PLACES = ["Paris", "Oslo", "Rome", "Lima", "Cairo", "Quito"]


def wordpiece() -> PreTrainedTokenizerFast:
    """As BERT's: lower case, `##` subwords, zero-width characters removed."""
    return committed("wordpiece", pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]")


def byte_level() -> PreTrainedTokenizerFast:
    """As GPT-2's and RoBERTa's: bytes, a leading space in the subword, subwords such as `.,` over two words."""
    return committed("byte_level", pad_token="<pad>", unk_token="<unk>", cls_token="<s>", sep_token="</s>")


def unigram() -> PreTrainedTokenizerFast:
    """As SentencePiece's in XLM-R and T5: NFKC, `▁` for spaces, subwords that may run over punctuation."""
    return committed("unigram", pad_token="<pad>", unk_token="<unk>", cls_token="<s>", sep_token="</s>")


def committed(name: str, **special: Any) -> PreTrainedTokenizerFast:
    """A tokenizer of `tiny_tokenizers`: trained once, as trainers of tokenizers order ties anew in every process."""
    path = Path(__file__).parent / "tiny_tokenizers" / f"{name}.json"
    return PreTrainedTokenizerFast(tokenizer_file=str(path), **special)


TOKENIZERS = {"wordpiece": wordpiece, "byte_level": byte_level, "unigram": unigram}


def save_tiny_encoder(folder: Path, kind: str = "wordpiece", *, dropout: float = 0.1, positions: int = 130) -> Path:
    """Write a random encoder of two small layers, with its tokenizer, as a model folder."""
    tokenizer: Any = TOKENIZERS[kind]()
    sizes = {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "max_position_embeddings": positions,
        "hidden_dropout_prob": dropout,
        "attention_probs_dropout_prob": dropout,
        "pad_token_id": tokenizer.pad_token_id,
    }
    torch.manual_seed(0)
    bert = kind == "wordpiece"
    model = BertForTokenClassification(BertConfig(**sizes)) if bert else RobertaModel(RobertaConfig(**sizes))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def people_and_places(count: int) -> list[Example]:
    """Short sentences whose names are people and whose places are places."""
    examples = []
    for i in range(count):
        name, place = _NAMES[i % len(_NAMES)], _PLACES[i * 5 % len(_PLACES)]
        text = f"{name} went to {place}." if i % 2 else f"In {place}, {name} met nobody at all."
        spans = [(text.index(name), name, "PER"), (text.index(place), place, "LOC")]
        examples.append(Example(f"r{i}", text, tuple(sorted(Span(s, s + len(w), x) for s, w, x in spans))))
    return examples
