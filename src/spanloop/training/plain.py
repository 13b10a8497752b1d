"""What is lost where a model is read by a plain pipeline of transformers, as the model card says.

Such a pipeline takes the likeliest tag of each subword by itself, shows the encoder no token types, and leaves out
nothing. It is measured with the pipeline itself, on records that the models of the folds were not trained on.
"""

import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np

from spanloop.errors import first_line
from spanloop.model.encoding import Encoded
from spanloop.model.quiet import quiet_transformers
from spanloop.model.ragged import Ints
from spanloop.records import Example, Span
from spanloop.training.confidence import Confidence, Found

SIMPLE, FIRST = "simple", "first"
STRATEGIES = (SIMPLE, FIRST)
"""Aggregation strategies: subwords of one label in a row are a span; or words are, with their first subwords' tags."""
_MOST = 500  # records of all folds together: a pipeline is slow, and this says it to a point or two

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PlainReading:
    """What a pipeline finds in some of the examples.

    Attributes:
        texts: Indices of the examples.
        counts: `(n_strategies, 2)` right spans that it finds in them, and all spans that it finds.
    """

    texts: Ints
    counts: Ints


UNREAD = PlainReading(np.zeros(0, dtype=np.int64), np.zeros((len(STRATEGIES), 2), dtype=np.int64))


@dataclass(frozen=True, slots=True)
class PlainLoss:
    """Exact-span F1 of the ways to read a model, on the same records.

    Attributes:
        plain: Of the pipeline, in 0..1, by its strategy.
        ours: Of what is suggested, likewise.
        records: How many records.
    """

    plain: dict[str, float]
    ours: float
    records: int


def read_plainly(
    model: Any, tokenizer: Any, *, encoded: Encoded, texts: Ints, examples: Sequence[Example], folds: int
) -> PlainReading:
    """Read some of the examples that a model was not trained on by a pipeline.

    Args:
        model: The model of a fold, with attention that needs no layout of ours.
        tokenizer: Its tokenizer; not to be used for windows afterwards.
        encoded: All examples.
        texts: Indices of those that the model was not trained on. Of these the ones of one window are read: longer
            ones a pipeline cuts or refuses, depending on the tokenizer.
        examples: All examples.
        folds: How many folds share the records that are read.

    Returns:
        What it finds; of no text, with a warning in the log, where the encoder does not work in a pipeline.
    """
    from transformers import pipeline

    windows = np.bincount(encoded.windows.text, minlength=encoded.n_texts)
    short = texts[(windows[texts] == 1) & (np.diff(encoded.text_words)[texts] > 0)]
    chosen = short[:: max(1, ceil(len(short) * folds / _MOST))]
    counts = np.zeros_like(UNREAD.counts)
    try:
        with quiet_transformers(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what a pipeline thinks of a tokenizer is part of what it loses
            pipe = pipeline("token-classification", model, tokenizer=tokenizer, device=model.device)
            for example in (examples[i] for i in chosen.tolist()):
                found = _readings(pipe, example.text)
                counts += [(len(spans & set(example.spans)), len(spans)) for spans in found]
    except Exception as error:  # the model is good without this figure, whatever a pipeline does not like about it
        log.warning("train: a plain pipeline cannot read this encoder: %s", first_line(error))
        return UNREAD
    return PlainReading(chosen, counts)


def _readings(pipe: Any, text: str) -> list[set[Span]]:
    """What each strategy finds. One forward pass serves all; called with a list, a pipeline slows every tokenizer."""
    from transformers.pipelines.token_classification import AggregationStrategy

    outputs = [pipe.forward(inputs) for inputs in pipe.preprocess(text, is_split_into_words=False)]
    found = (pipe.postprocess(outputs, AggregationStrategy(strategy)) for strategy in STRATEGIES)
    return [{Span(int(x["start"]), int(x["end"]), x["entity_group"]) for x in spans} for spans in found]


def plain_loss(
    readings: Sequence[PlainReading], folds: Sequence[Found], confidence: Confidence, examples: Sequence[Example]
) -> PlainLoss | None:
    """Set what pipelines find against what is suggested in the same records.

    Args:
        readings: What they find, of each fold.
        folds: The spans that are decoded, of each fold.
        confidence: Says which of them are suggested.
        examples: All examples.

    Returns:
        F1 of both; None where nothing was read, or nothing is marked in it.
    """
    texts = np.concatenate([UNREAD.texts, *(reading.texts for reading in readings)])
    gold = sum(len(set(examples[i].spans)) for i in texts.tolist())
    if not gold:
        return None
    probabilities, hits, owners = (
        np.concatenate([getattr(f, n) for f in folds]) for n in ("probabilities", "hits", "texts")
    )
    suggested = np.isin(owners, texts) & (confidence.scale.scores(probabilities) >= confidence.min_score)
    ours = 2 * int((suggested & hits).sum()) / (int(suggested.sum()) + gold)
    correct, predicted = np.sum([reading.counts for reading in readings], axis=0).T
    plain = (2 * correct / (predicted + gold)).tolist()
    return PlainLoss(dict(zip(STRATEGIES, plain, strict=True)), ours, len(texts))
