"""Made-up annotated texts and random encoders: all that a benchmark of speed needs, without a corpus and a hub."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from transformers import AutoConfig

from benchmarks.random_models import LABELS, word_pieces, write_random
from spanloop.records import Example, Span

_SYLLABLES = [a + b + c for a in "bdfgklmnprstv" for b in "aeiou" for c in ("", "n", "r", "s")]
_SPREAD = 0.8  # standard deviation of the logarithm of a text's words
_LONGEST = 1000
_DEBERTA_V3 = {
    "relative_attention": True, "position_buckets": 256, "pos_att_type": ["p2c", "c2p"], "share_att_key": True,
    "norm_rel_ebd": "layer_norm", "position_biased_input": False,
}  # fmt: skip
FAMILIES: dict[str, dict[str, Any]] = {
    "bert": {},
    "roberta": {"max_position_embeddings": 514},
    "deberta-v2": _DEBERTA_V3,
    "mpnet": {"max_position_embeddings": 514},
    "modernbert": {"num_hidden_layers": 22, "intermediate_size": 1152},
}
"""Model types with what their configuration needs besides the sizes."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large an encoder is.

    Attributes:
        hidden: Units of a layer; the inner ones are four times as many.
        layers: Layers.
        heads: Attention heads.
        vocabulary: Rows of the vocabulary.
    """

    hidden: int
    layers: int
    heads: int
    vocabulary: int


BASE, TINY = Size(768, 12, 12, 30522), Size(32, 2, 2, 1000)
"""That of BERT-base, and one for trials on a CPU."""


def made_up_texts(count: int, mean_words: float = 30.0, seed: int = 0) -> list[Example]:
    """Texts of log-normal length, of invented words as frequent and as rare as a language's, two in thirty marked."""
    rng = np.random.default_rng(seed)
    lexicon = _lexicon(rng)
    sizes = np.exp(rng.normal(np.log(mean_words) - _SPREAD**2 / 2, _SPREAD, count))
    sizes = np.clip(np.rint(sizes), 1, _LONGEST).astype(int)
    frequency = 1 / (np.arange(len(lexicon)) + 2.7)  # Zipf's law with Mandelbrot's shift
    drawn = rng.choice(len(lexicon), int(sizes.sum()), p=frequency / frequency.sum())
    marked, labels = rng.random(len(drawn)) < 2 / 30, rng.integers(0, len(LABELS), len(drawn))
    examples, first = [], 0
    for i, size in enumerate(sizes.tolist()):
        place = slice(first, first + size)
        examples.append(_example(i, [lexicon[w] for w in drawn[place]], marked[place], labels[place]))
        first += size
    return examples


def write_family(folder: Path, family: str, size: Size, texts: list[Example]) -> Path:
    """Write a model folder of a family, with a tokenizer trained on the texts."""
    tokenizer = word_pieces((example.text for example in texts), size.vocabulary // 6)  # rare words are cut
    sizes = {
        "vocab_size": size.vocabulary, "hidden_size": size.hidden, "num_hidden_layers": size.layers,
        "num_attention_heads": size.heads, "intermediate_size": 4 * size.hidden, "pad_token_id": 0,
    }  # fmt: skip
    special = {"bos_token_id": 2, "eos_token_id": 3, "cls_token_id": 2, "sep_token_id": 3}
    return write_random(folder, tokenizer, AutoConfig.for_model(family, **{**sizes, **special, **FAMILIES[family]}))


def _lexicon(rng: np.random.Generator, words: int = 20_000) -> list[str]:
    sizes = rng.integers(1, 5, words)
    drawn = rng.integers(0, len(_SYLLABLES), int(sizes.sum()))
    ends = np.cumsum(sizes)
    lexicon = ["".join(_SYLLABLES[s] for s in drawn[end - size : end]) for size, end in zip(sizes, ends, strict=True)]
    return [",", ".", *(word.capitalize() if i % 7 == 0 else word for i, word in enumerate(lexicon))]


def _example(number: int, words: list[str], marked: np.ndarray, labels: np.ndarray) -> Example:
    starts = np.cumsum([0, *(len(word) + 1 for word in words)])
    spans = [Span(int(starts[i]), int(starts[i]) + len(words[i]), LABELS[labels[i]]) for i in np.flatnonzero(marked)]
    return Example(str(number), " ".join(words), tuple(spans))
