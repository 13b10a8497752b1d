"""Which tags a model tells apart: those of one chain over all labels, or those of a chain for each label.

One chain gives a word one tag, so spans cannot overlap. With a chain for each label, of that label's `O`, `B` and `I`
alone, spans of different labels may overlap or nest: a model for each type, as in Alex, Haddow and Grover (2007,
"Recognising nested named entities in biomedical text"), but all on one encoder. Given the text the chains of a record
are independent, so their log-probabilities add up.

What works on tag sequences knows nothing of chains: they are laid end to end, each as if it were the sequence of a
record of its own, first the words of all records in the first chain, then the same words in the second.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from spanloop.model.chain import TagRuns
from spanloop.model.ragged import Doubles, Ints
from spanloop.spans import tag_names


@dataclass(frozen=True, slots=True)
class TagScheme:
    """The tags of a model.

    Attributes:
        labels: Span labels, in the order of the configuration.
        overlapping: Whether spans of different labels may overlap: each label then has a chain of its own.
    """

    labels: tuple[str, ...]
    overlapping: bool = False

    @property
    def chains(self) -> list[tuple[str, ...]]:
        """The labels of each chain."""
        return [(label,) for label in self.labels] if self.overlapping else [self.labels]

    @property
    def names(self) -> list[str]:
        """Names of a model's outputs, chain by chain; each of several chains has an `O-label` of its own."""
        if not self.overlapping:
            return tag_names(self.labels)
        return [f"{prefix}-{label}" for label in self.labels for prefix in "OBI"]

    def end_to_end(self, rows: Any) -> Any:
        """Lay the chains of words one behind the other.

        Args:
            rows: `(n, n_chains * k)`, of numpy or torch: `k` figures of each chain for each word.

        Returns:
            `(n_chains * n, k)`; the same rows where there is one chain.
        """
        (n, width), chains = rows.shape, len(self.chains)
        return rows.reshape(n, chains, width // chains).swapaxes(0, 1).reshape(n * chains, width // chains)

    def sequences(self, lengths: Ints) -> Ints:
        """Lengths of all chains, `(n_chains * n_records,)`, of records that have these; zeros allowed."""
        return np.tile(lengths, len(self.chains))

    def joint(self, values: Doubles) -> Doubles:
        """Sum over the chains of each record: `(n_records,)` of `(n_chains * n_records,)`."""
        return np.asarray(values.reshape(len(self.chains), -1).sum(axis=0))

    def on_words(self, runs: TagRuns, n_words: int) -> TagRuns:
        """Spans in chains laid end to end as rows of the words, with indices of `labels`; in the order given.

        Args:
            runs: As `tag_runs` reads them off the tags of all chains.
            n_words: Words of one chain.
        """
        chain = runs.starts // max(n_words, 1)
        row, label = chain * n_words, chain * len(self.chains[0])
        return TagRuns(runs.starts - row, runs.ends - row, runs.labels + label)

    def in_chains(self, runs: TagRuns, n_words: int) -> TagRuns:
        """The inverse of `on_words`."""
        chain = runs.labels // len(self.chains[0])
        row, label = chain * n_words, chain * len(self.chains[0])
        return TagRuns(runs.starts + row, runs.ends + row, runs.labels - label)
