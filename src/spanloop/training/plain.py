"""What is lost where a model is read by a plain pipeline of transformers, as the model card says.

Such a pipeline takes the likeliest tag of each subword by itself, shows the encoder no token types, and leaves out
nothing. It is measured with the pipeline itself, on records that the models of the folds were not trained on.
"""

import logging
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

STRATEGY = "simple"
_MOST = 500  # records of all folds together: a pipeline is slow, and this says it to a point or two
_BATCH = 8

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PlainReading:
    """What a pipeline finds in some of the examples.

    Attributes:
        texts: Indices of the examples.
        correct: Right spans that it finds in them.
        predicted: All spans that it finds.
    """

    texts: Ints
    correct: int
    predicted: int


UNREAD = PlainReading(np.zeros(0, dtype=np.int64), 0, 0)


@dataclass(frozen=True, slots=True)
class PlainLoss:
    """Exact-span F1 of the two ways to read a model, on the same records.

    Attributes:
        plain: Of the pipeline, in 0..1.
        ours: Of what is suggested, likewise.
        records: How many records.
    """

    plain: float
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
    try:
        with quiet_transformers():
            options = {"tokenizer": tokenizer, "aggregation_strategy": STRATEGY, "device": model.device}
            pipe = pipeline("token-classification", model, **options)
            found = pipe([examples[i].text for i in chosen.tolist()], batch_size=_BATCH) if len(chosen) else []
    except Exception as error:  # the model is good without this figure, whatever a pipeline does not like about it
        log.warning("train: a plain pipeline cannot read this encoder: %s", first_line(error))
        return UNREAD
    spans = [{Span(int(x["start"]), int(x["end"]), x["entity_group"]) for x in one} for one in found]
    right = (len(one & set(examples[i].spans)) for i, one in zip(chosen.tolist(), spans, strict=True))
    return PlainReading(chosen, sum(right), sum(map(len, spans)))


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
    texts = np.concatenate([reading.texts for reading in readings]) if readings else np.zeros(0, dtype=np.int64)
    gold = sum(len(set(examples[i].spans)) for i in texts.tolist())
    if not gold:
        return None
    probabilities, hits, owners = (
        np.concatenate([getattr(f, n) for f in folds]) for n in ("probabilities", "hits", "texts")
    )
    suggested = np.isin(owners, texts) & (confidence.scale.scores(probabilities) >= confidence.min_score)
    ours = 2 * int((suggested & hits).sum()) / (int(suggested.sum()) + gold)
    plain = 2 * sum(r.correct for r in readings) / (sum(r.predicted for r in readings) + gold)
    return PlainLoss(plain, ours, len(texts))
