"""What models say about records that they were not trained on: out-of-fold predictions."""

from collections.abc import Sequence
from dataclasses import dataclass

from spanloop.model.ragged import Floats, Ints
from spanloop.records import Example
from spanloop.training.confidence import Confidence, confidence_of, find_spans
from spanloop.training.targets import Targets


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """Examples, and what the models of all folds read in them.

    Attributes:
        examples: All examples.
        labels: The label scheme.
        targets: The examples, encoded.
        texts: `(n,)` indices of the examples that were read, fold by fold.
        logits: `(n_words, n_tags)` of their words, in the order of `targets.words_of(texts)`.
    """

    examples: Sequence[Example]
    labels: Sequence[str]
    targets: Targets
    texts: Ints
    logits: Floats

    def confidence(self) -> Confidence:
        """How far such models can be trusted."""
        found = find_spans(self.targets, self.texts, self.logits, self.examples, self.labels)
        return confidence_of([found], sum(len(set(example.spans)) for example in self.examples))
