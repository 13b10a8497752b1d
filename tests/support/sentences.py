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
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast, set_seed

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=400, special_tokens=special)
    tokenizer.train_from_iterator([s.text for s in sentences(300, seed=99)], trainer)
    ends = [(token, tokenizer.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), special, strict=True))
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=128, **names).save_pretrained(folder)
    set_seed(0)
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=128,
        max_position_embeddings=128,
    )
    BertModel(config).save_pretrained(folder)
    return folder
