"""F1 and temperature on the validation examples, with the decoding that scoring uses.

Spans of low probability count here, whatever `scoring.min_score` is: the temperature that calibrates probabilities is
fitted only once the weights are chosen.
"""

from collections.abc import Sequence

import numpy as np

from spanloop.model.chain import tag_runs
from spanloop.model.encoding import Encoder
from spanloop.model.forward import Forward
from spanloop.model.layout import lay_out, words_of
from spanloop.model.ragged import Floats, Ints, log_softmax
from spanloop.model.viterbi import decode
from spanloop.records import Example, Span
from spanloop.training.batching import share
from spanloop.training.targets import Targets, gold_spans


def word_logits(
    forward: Forward, encoder: Encoder, targets: Targets, rank: int = 0, processes: int = 1
) -> tuple[Ints, Floats]:
    """Logits of the words, each read off its first subword in the window where that has most context.

    Args:
        forward: The model, in evaluation mode.
        encoder: Its encoder.
        targets: Encoded examples.
        rank: This process.
        processes: Processes that share the windows.

    Returns:
        (n,) words seen by this process, and (n, n_tags) their logits.
    """
    encoded = targets.encoded
    rows = share(np.arange(len(encoded.windows)), encoded.windows.lengths, rank, processes)
    layout = lay_out(encoded, encoder.prefix, encoder.suffix, forward.budget, rows=rows, padding=forward.padding)
    word, word_token = words_of(encoded, layout.subword)
    return word, forward.run(layout, word_token).logits


def spans_of(targets: Targets, logits: Floats, labels: Sequence[str]) -> set[tuple[int, Span]]:
    """The decoded spans, each with the index of its example.

    Args:
        targets: Encoded examples.
        logits: (n_words, n_tags) in the order of the words.
        labels: The label scheme.
    """
    encoded = targets.encoded
    lengths = np.diff(encoded.text_words)
    tags = decode(log_softmax(logits), lengths)
    runs = tag_runs(tags, lengths)
    texts = np.searchsorted(encoded.text_words, runs.starts, side="right") - 1
    starts, stops = encoded.word_start[runs.starts], encoded.word_stop[runs.ends - 1]
    rows = zip(texts.tolist(), starts.tolist(), stops.tolist(), runs.labels.tolist(), strict=True)
    return {(text, Span(start, stop, labels[label])) for text, start, stop, label in rows}


def f1(examples: Sequence[Example], predicted: set[tuple[int, Span]]) -> float:
    """Exact-span micro F1 in 0..1; 1 where there is nothing to find and nothing was found."""
    gold = gold_spans(examples)
    if not gold and not predicted:
        return 1.0
    return 2 * len(gold & predicted) / (len(gold) + len(predicted))


def fit_temperature(logits: Floats, tags: Ints) -> float:
    """The temperature that makes the gold tags likeliest (Guo et al. 2017, https://arxiv.org/abs/1706.04599).

    Args:
        logits: (n_words, n_tags).
        tags: (n_words,) gold tags.

    Returns:
        The divisor of the logits, in 0.25..4; 1 without words.
    """
    if not len(tags):
        return 1.0
    low, high = np.log(0.25), np.log(4.0)  # the loss is convex in 1 / temperature: one minimum
    golden = (np.sqrt(5.0) - 1) / 2
    for _ in range(40):
        a, b = high - golden * (high - low), low + golden * (high - low)
        if _loss(logits, tags, np.exp(a)) < _loss(logits, tags, np.exp(b)):
            high = b
        else:
            low = a
    return float(np.exp((low + high) / 2))


def _loss(logits: Floats, tags: Ints, temperature: float) -> float:
    return float(-log_softmax(logits, temperature)[np.arange(len(tags)), tags].mean())
