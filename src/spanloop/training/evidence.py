"""What out-of-fold predictions say about the annotation of each record: where `spanloop review` starts from.

A mistake of an annotator shows where models that never saw the record find something else (`evaluation.label_errors`).
So each record keeps the spans that were marked and those that were found, all with the model's probability.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from spanloop.model.chain import TagRuns, span_probabilities, sum_product, tag_runs
from spanloop.model.ragged import Ints, boundaries, log_softmax
from spanloop.model.scores import ScoreScale
from spanloop.model.viterbi import decode
from spanloop.records import Evidence, Example, ScoredSpan, Span
from spanloop.spans import touched_words
from spanloop.training.out_of_fold import OutOfFold

_DIGITS = 4


class _Placed(NamedTuple):
    """A span of the text at `owner`, on the words of these rows."""

    start: int
    end: int
    label: int
    owner: int
    span: Span

    @property
    def place(self) -> tuple[int, int, int]:
        return self[:3]


def evidence_of(unseen: OutOfFold, scale: ScoreScale) -> list[Evidence]:
    """Judge the annotation of examples by models that were not trained on them.

    A marked span has the probability of the words that it touches, so one that ends inside of a word agrees with a
    found span of these words. One that touches no word has none and is left out.

    Args:
        unseen: What the models read.
        scale: Makes scores of the spans' probabilities.

    Returns:
        One item for each example that was read.
    """
    encoded, words = unseen.targets.encoded, unseen.targets.words_of(unseen.texts)
    scheme, lengths = unseen.targets.scheme, np.diff(encoded.text_words)[unseen.texts]
    sequences, log_p = scheme.sequences(lengths), log_softmax(scheme.end_to_end(unseen.logits))
    where = _Words(encoded.word_start[words], encoded.word_stop[words], boundaries(lengths), scheme.labels)
    read = [unseen.examples[i] for i in unseen.texts.tolist()]
    marked = list(where.marked(read))
    there = {placed.place: placed for placed in marked}
    runs = scheme.on_words(tag_runs(decode(log_p, sequences), sequences), len(words))
    found = [there.get(placed.place, placed) for placed in where.found(runs)]
    columns = np.array([placed.place for placed in (*marked, *found)], dtype=np.int64).reshape(-1, 3)
    p, judged = np.exp(log_p), scheme.in_chains(TagRuns(*columns.T), len(words))
    scores = scale.scores(span_probabilities(p, sum_product(p, sequences), judged))
    scored = np.round(scores, _DIGITS).tolist()
    sides = _by_owner(marked, scored, len(read)), _by_owner(found, scored[len(marked) :], len(read))
    return [Evidence(example.id, *both) for example, *both in zip(read, *sides, strict=True)]


class _Words(NamedTuple):
    """The words of the texts that were read, end to end; text i has those from `firsts[i]` on."""

    starts: Ints
    stops: Ints
    firsts: Ints
    labels: Sequence[str]

    def marked(self, read: Sequence[Example]) -> Iterator[_Placed]:
        """The spans of the annotation on the words that they touch."""
        number = {label: i for i, label in enumerate(self.labels)}
        for owner, (first, last) in enumerate(pairwise(self.firsts.tolist())):
            words = list(zip(self.starts[first:last].tolist(), self.stops[first:last].tolist(), strict=True))
            for span in read[owner].spans:
                low, high = touched_words(words, span)
                if low < high:
                    yield _Placed(first + low, first + high, number[span.label], owner, span)

    def found(self, runs: TagRuns) -> Iterator[_Placed]:
        """Runs of tags as spans of characters."""
        owners = np.searchsorted(self.firsts, runs.starts, side="right") - 1
        rows = (column.tolist() for column in (runs.starts, runs.ends, runs.labels, owners))
        for start, end, label, owner in zip(*rows, strict=True):
            span = Span(int(self.starts[start]), int(self.stops[end - 1]), self.labels[label])
            yield _Placed(start, end, label, owner, span)


def _by_owner(placed: Sequence[_Placed], scores: Sequence[float], texts: int) -> list[tuple[ScoredSpan, ...]]:
    spans: list[list[ScoredSpan]] = [[] for _ in range(texts)]
    for (*_, owner, span), score in zip(placed, scores, strict=False):
        spans[owner].append(ScoredSpan(span.start, span.end, span.label, score))
    return [tuple(sorted(found)) for found in spans]
