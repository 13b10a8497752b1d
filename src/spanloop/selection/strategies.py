"""Query strategies: how informative each record would be, from the statistics of one scoring pass.

Each takes the pool and a random generator and returns one value a record, higher first, NaN for a record that it cannot
judge: that one comes after all others. The measures themselves are computed while scoring (`spanloop.records`); higher
is always more informative, so a strategy says which measure rules. A further one is a function here and its line in
`STRATEGIES`; one outside the package is named `my_package:my_function` in `selection.strategy`.

What the field's comparisons report as best is here: `mnlp` (Shen et al., ICLR 2018), and `mnlp` and `bald` of the
comparisons behind ALToolbox (Shelmanov et al., EACL 2021; Tsvigun et al., EMNLP 2022). Querying subsequences (Radmard
et al., ACL 2021) is not: its gain is to leave the rest of a sentence unlabelled, and here a whole record is annotated.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from spanloop.errors import ConfigError
from spanloop.selection.diversity import diversity
from spanloop.selection.pool import Annotated, FloatArray, Pool
from spanloop.selection.typicality import typical_first
from spanloop.selection.vectors import vectors
from spanloop.words import split_words

Values = Callable[[Pool, np.random.Generator], FloatArray]

_SMOOTHING = 0.1  # beta of Luo et al.: no label counts more than eleven times as much as another


@dataclass(frozen=True, slots=True)
class Strategy:
    """A query strategy with what its function does not say.

    Attributes:
        function: Values of the pool's n records, shape (n,).
        needs: A setting without which it has nothing to go by, e.g. `scoring.mc_dropout_passes`; empty: none.
        is_measure: A value says how uncertain the model is, and annotators see it; otherwise they see `mnlp`.
        per_word: A value says what a word of the record is worth, so that the step `cost` leaves it as it is; otherwise
            what the whole record is worth.
        sees_embeddings: It looks at the records' embeddings, so that they are made.
    """

    function: Values
    needs: str = ""
    is_measure: bool = True
    per_word: bool = False
    sees_embeddings: bool = False

    def values(self, pool: Pool, rng: np.random.Generator) -> FloatArray:
        """Judge the records.

        Raises:
            ConfigError: The function returned something else than one number a record.
        """
        found: object = self.function(pool, rng)
        try:
            values = np.asarray(found, dtype=np.float64)
        except (TypeError, ValueError):
            values = np.empty(())
        if values.shape != (len(pool),):
            shown = f"an array of shape {found.shape}" if isinstance(found, np.ndarray) else f"a {type(found).__name__}"
            name = getattr(self.function, "__name__", "the function")
            raise ConfigError(
                f"selection.strategy: {name} returned {shown} for {len(pool)} records; return one number a record"
            )
        return values


def random(pool: Pool, rng: np.random.Generator) -> FloatArray:
    """No preference: the yardstick that every other strategy has to beat (Lewis and Gale, 1994)."""
    return rng.random(len(pool))


def least_confidence(pool: Pool, rng: np.random.Generator) -> FloatArray:
    """One minus the probability of the best tag sequence (Culotta and McCallum, AAAI 2005). Prefers long texts."""
    return pool.statistic("least_confidence")


def margin(pool: Pool, rng: np.random.Generator) -> FloatArray:
    """How close the second best tag sequence comes to the best (Scheffer, Decomain and Wrobel, IDA 2001)."""
    return pool.statistic("margin")


def token_entropy(pool: Pool, rng: np.random.Generator) -> FloatArray:
    """Mean entropy of the words' tag distributions (Settles and Craven, EMNLP 2008, "token entropy")."""
    return pool.statistic("token_entropy")


def mnlp(pool: Pool, rng: np.random.Generator) -> FloatArray:
    """Negative log probability of the best tag sequence, a word (Shen et al., ICLR 2018, "MNLP")."""
    return pool.statistic("mnlp")


def bald(pool: Pool, rng: np.random.Generator) -> FloatArray:
    """Disagreement of passes with dropout on (Houlsby et al., 2011; for tagging Siddhant and Lipton, EMNLP 2018)."""
    return pool.statistic("bald")


def expected_errors(pool: Pool, rng: np.random.Generator) -> FloatArray:
    """Expected number of spans that the model has wrong or misses. Prefers long texts.

    The expected loss of the decision, as in decision-theoretic active learning (Kapoor, Horvitz and Basu, IJCAI 2007),
    counted in spans: what F1 counts and annotators correct. With the step `cost` at 1 it is expected errors a word.
    """
    return pool.statistic("expected_errors")


def reweighted_mnlp(pool: Pool, rng: np.random.Generator) -> FloatArray:
    """Doubt a word, words of rare labels counting more (Luo, Tan, Nguyen and Du, Findings of EMNLP 2023).

    A word's weight is 1 / (share of its label among the annotated words + 0.1): while most words are outside of spans,
    their doubt does not drown that of the few inside. Its label is the one that the model gives it.
    """
    weights = label_weights(pool.annotated)

    def weighted(doubts: Mapping[str, float]) -> float:
        return sum(weights.get(label, 1 / _SMOOTHING) * doubt for label, doubt in doubts.items())

    sums = [weighted(r.statistics.label_doubt) if r.statistics else np.nan for r in pool.records]
    return np.array(sums, dtype=np.float64) / np.maximum(pool.statistic("n_words"), 1)


def typiclust(pool: Pool, rng: np.random.Generator) -> FloatArray:
    """Typical records of every kind of text, without a model (Hacohen, Dekel and Weinshall, ICML 2022, "TypiClust").

    While little is annotated, so the paper, what is typical teaches more than what is uncertain.
    """
    rows = vectors([*pool.records, *pool.annotated])
    return typical_first(rows[: len(pool)], rows[len(pool) :], rng)


def core_set(pool: Pool, rng: np.random.Generator) -> FloatArray:
    """Unlike all that is annotated or ahead, without a model (Sener and Savarese, ICLR 2018, "core-set", k-centre).

    The first 2,000 records are chosen so, among as many at random; the others follow at random.
    """
    return diversity(random(pool, rng), pool, 1.0)


def lexical_core_set(pool: Pool, rng: np.random.Generator) -> FloatArray:
    """As `core_set`, with texts told apart by their words alone: new words are often new names."""
    return diversity(random(pool, rng), pool, 1.0, words=True)


STRATEGIES: dict[str, Strategy] = {
    "random": Strategy(random, is_measure=False),
    "least_confidence": Strategy(least_confidence),
    "margin": Strategy(margin),
    "token_entropy": Strategy(token_entropy, per_word=True),
    "mnlp": Strategy(mnlp, per_word=True),
    "bald": Strategy(bald, needs="scoring.mc_dropout_passes", per_word=True),
    "expected_errors": Strategy(expected_errors),
    "reweighted_mnlp": Strategy(reweighted_mnlp, per_word=True),
    "typiclust": Strategy(typiclust, is_measure=False, sees_embeddings=True),
    "core_set": Strategy(core_set, is_measure=False, sees_embeddings=True),
    "lexical_core_set": Strategy(lexical_core_set, is_measure=False),
}
"""Every strategy by its name in `selection.strategy`."""


def label_weights(annotated: Sequence[Annotated]) -> dict[str, float]:
    """The weight of each label's words, by their share of the annotated words; "" is outside of all spans."""
    words: Counter[str] = Counter()
    for record in annotated:
        inside = {span.label: 0 for span in record.spans}
        for span in record.spans:
            inside[span.label] += len(split_words(record.text[span.start : span.end]))
        words.update(inside)
        words[""] += max(len(split_words(record.text)) - sum(inside.values()), 0)
    total = max(words.total(), 1)
    return {label: 1 / (count / total + _SMOOTHING) for label, count in words.items()}
