"""What the model is to predict: a tag for every word, carried by its first subword or by all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from spanloop.errors import LabelError
from spanloop.model.encoding import Encoded, Encoder
from spanloop.model.ragged import Ints, ranges
from spanloop.model.tag_scheme import TagScheme
from spanloop.records import Example
from spanloop.spans import LostSpan, spans_to_iob2, tag_names

IGNORED = -100
"""The target of a subword that the loss does not count."""


@dataclass(frozen=True, slots=True)
class Targets:
    """Encoded examples with their gold tags.

    Attributes:
        encoded: The encoded texts.
        scheme: The tags that the model tells apart.
        word_tags: (n_words, n_chains) gold tag of each word in each chain.
        subword_tags: (n_subwords, n_chains) what each subword is trained on, or `IGNORED`.
        lost: Gold spans that the words do not hold exactly.
    """

    encoded: Encoded
    scheme: TagScheme
    word_tags: Ints
    subword_tags: Ints
    lost: list[LostSpan]

    def words_of(self, texts: Ints) -> Ints:
        """Indices of the words of some examples, in the order of these."""
        bounds = self.encoded.text_words
        return ranges(bounds[texts], bounds[texts + 1] - bounds[texts])


def make_targets(
    encoder: Encoder, examples: Sequence[Example], scheme: TagScheme, label_subwords: Literal["first", "all"]
) -> Targets:
    """Encode examples and align their spans.

    Args:
        encoder: The encoder of the model.
        examples: Texts with gold spans.
        scheme: The tags that the model is to tell apart.
        label_subwords: Which subwords of a word carry its tag; with `all` a later subword of a word continues its span.

    Raises:
        LabelError: A span has a label that the scheme lacks.
    """
    encoded = encoder.encode([example.text for example in examples])
    numbers = [{name: i for i, name in enumerate(tag_names(labels))} for labels in scheme.chains]
    tags = np.zeros((len(encoded.word_start), len(numbers)), dtype=np.int64)
    lost: list[LostSpan] = []
    for i, example in enumerate(examples):
        _check_labels(example, scheme.labels)
        rows = slice(encoded.text_words[i], encoded.text_words[i + 1])
        words = list(zip(encoded.word_start[rows].tolist(), encoded.word_stop[rows].tolist(), strict=True))
        for chain, labels in enumerate(scheme.chains):
            names, missed = spans_to_iob2(words, [s for s in example.spans if s.label in labels], example.id)
            tags[rows, chain] = [numbers[chain][name] for name in names]
            lost += missed
    return Targets(encoded, scheme, tags, _subword_tags(encoded, tags, label_subwords), lost)


def class_weights(word_tags: Ints, n_tags: int) -> npt.NDArray[np.float32]:
    """Weights of the tags of a chain by the inverse square root of their frequency, with mean 1 over the words.

    A tag that never occurs gets the weight of one that occurs once. The square root keeps rare tags from drowning the
    others, as with full inverse frequency (Mahajan et al. 2018, https://arxiv.org/abs/1805.00932).

    Args:
        word_tags: (n_words,) tags of the training words.
        n_tags: Number of tags.

    Returns:
        (n_tags,) weights.
    """
    counts = np.bincount(word_tags, minlength=n_tags)
    weights = 1.0 / np.sqrt(np.maximum(counts, 1))
    return np.asarray(weights * counts.sum() / (weights * counts).sum(), dtype=np.float32)


def log_frequencies(word_tags: Ints) -> npt.NDArray[np.float32]:
    """Logarithms of how often each of `O`, `B` and `I` is the tag of a word in each chain.

    Where each label has a chain of its own, nearly every word is outside of nearly every chain. A model that begins
    with these frequencies need not learn them first (Lin et al. 2017, https://arxiv.org/abs/1708.02002, section 3.3);
    what it is worth: `docs/lab-notes.md`.

    Args:
        word_tags: (n_words, n_chains) tags of the training words, 0..2.

    Returns:
        (n_chains * 3,) in the order of the outputs; every tag counts as seen once more than it was.
    """
    counts = np.stack([np.bincount(chain, minlength=3) + 1 for chain in word_tags.T])
    return np.asarray(np.log(counts / counts.sum(axis=1, keepdims=True)).ravel(), dtype=np.float32)


def _subword_tags(encoded: Encoded, word_tags: Ints, label_subwords: Literal["first", "all"]) -> Ints:
    tags = np.full((len(encoded.subword_ids), word_tags.shape[1]), IGNORED, dtype=np.int64)
    if label_subwords == "all":
        owned = encoded.subword_word >= 0
        inside = word_tags[encoded.subword_word[owned]]
        tags[owned] = inside + inside % 2  # B-x is 2k+1, I-x is 2k+2: a later subword never begins a span
    tags[encoded.word_first] = word_tags
    return tags


def _check_labels(example: Example, labels: Sequence[str]) -> None:
    for span in example.spans:
        if span.label not in labels:
            known = ", ".join(labels)
            raise LabelError(f"record {example.id!r} has label {span.label!r}, which is none of: {known}; pull again")
