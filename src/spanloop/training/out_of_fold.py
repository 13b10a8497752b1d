"""What models say about records that they were not trained on: out-of-fold predictions."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from spanloop.model.ragged import Floats, Ints
from spanloop.records import Example
from spanloop.training.confidence import Confidence, Found, confidence_of, find_spans
from spanloop.training.targets import Targets


@dataclass(frozen=True)
class OutOfFold:
    """Examples, and what the models of all folds read in them.

    Attributes:
        examples: All examples.
        targets: The examples, encoded.
        texts: `(n,)` indices of the examples that were read, fold by fold.
        logits: `(n_words, n_outputs)` of their words, in the order of `targets.words_of(texts)`.
    """

    examples: Sequence[Example]
    targets: Targets
    texts: Ints
    logits: Floats

    @cached_property
    def found(self) -> Found:
        """The spans that they find."""
        return find_spans(self.targets, self.texts, self.logits, self.examples)

    def confidence(self) -> Confidence:
        """How far such models can be trusted."""
        return confidence_of([self.found], sum(len(set(example.spans)) for example in self.examples))
