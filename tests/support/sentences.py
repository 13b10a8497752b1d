"""Sentences about people and places that a tiny model learns in seconds, and the tiny model."""

from pathlib import Path
from random import Random

from spanloop.importing import Imported
from spanloop.records import Span

Sentence = Imported

PEOPLE = ["Anna Berg", "Tom Hill", "Zoë Lund", "Ravi Patel", "Mia Costa", "Jon Snowdon", "Eva Braun", "Li Wei"]
PLACES = ["Paris", "New York", "Oslo", "Lima", "Cape Town", "Kyoto", "Quito", "Bonn"]
PATTERNS = [
    "{person} lives in {place}.",
    "In {place}, {person} met {other} again.",
    "The train to {place} was late 🚆, said {person}.",
    "Nothing happened yesterday.",
    "{person} and {other} like tea.",
    "Rain is expected over {place}.",
]


def sentences(count: int, seed: int = 0) -> list[Sentence]:
    """Texts with their gold spans; the same for the same seed."""
    random = Random(seed)
    return [_sentence(f"doc/{seed}-{number}", random) for number in range(count)]


def _sentence(record_id: str, random: Random) -> Sentence:
    text, spans = "", []
    people = random.sample(PEOPLE, 2)
    values = {"person": people[0], "other": people[1], "place": random.choice(PLACES)}
    for part in random.choice(PATTERNS).split("{"):
        name, brace, rest = part.partition("}")
        if brace:
            label = "place" if name == "place" else "person"
            spans.append(Span(len(text), len(text) + len(values[name]), label))
            text += values[name] + rest
        else:
            text += part
    return Sentence(id=record_id, group=record_id, text=text, spans=tuple(spans), where=record_id)


def tiny_encoder(folder: Path) -> Path:
    """Write a random two-layer BERT and a tokenizer of the words above into a folder."""
    from tiny_models import committed
    from transformers import BertConfig, BertModel, set_seed

    special = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    names = dict(zip(special, ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"), strict=True))
    tokenizer = committed("sentences", model_max_length=128, **names)
    tokenizer.save_pretrained(folder)
    set_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=128,
        max_position_embeddings=128,
    )
    BertModel(config).save_pretrained(folder)
    return folder
