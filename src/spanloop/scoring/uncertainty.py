"""Measures of how unsure the model is of a record, for query strategies; of each, higher means more informative.

All take ragged arrays and return one figure a record.
They are measured on the chain of valid sequences (`spanloop.model.chain`), the distribution that is decoded, and on
calibrated probabilities.
"""

import numpy as np

from spanloop.model.chain import Chain, record_sums
from spanloop.model.ragged import Doubles, Ints


def least_confidence(log_best: Doubles) -> Doubles:
    """`1 - P(y*)`: what the best sequence leaves to all others.

    Uncertainty sampling of Lewis and Gale (1994), for sequences as in Culotta and McCallum (2005). It prefers long
    texts, and on very uncertain long ones it rounds to 1: `mnlp` is the measure made for comparing lengths.

    Args:
        log_best: `log P(y*)` of the best sequence, `(n_records,)`.
    """
    return np.abs(np.expm1(np.minimum(log_best, 0.0)))


def margin(log_best: Doubles, log_second: Doubles) -> Doubles:
    """`1 - (P(y*) - P(y**))`: how close the second best sequence comes; 1 is a tie, 0 is certainty.

    Scheffer, Decomain and Wrobel (2001), for sequences as in Settles and Craven (2008).

    Args:
        log_best: `log P(y*)`, `(n_records,)`.
        log_second: `log P(y**)` of the second best sequence, `(n_records,)`.
    """
    return np.asarray(1.0 + np.minimum(np.exp(log_second) - np.exp(np.minimum(log_best, 0.0)), 0.0))


def token_entropy(marginals: Doubles, lengths: Ints) -> Doubles:
    """`-1/n sum_t sum_y P(y_t = y) log P(y_t = y)`: the mean entropy of the words' tags, in nats.

    Settles and Craven (2008), equation for TE.

    Args:
        marginals: Of each tag of each word, `(n_words, n_tags)`.
        lengths: Words of each record.
    """
    return _mean(entropy(marginals), lengths)


def mnlp(log_best: Doubles, lengths: Ints) -> Doubles:
    """`-1/n log P(y*)`: maximum normalised log-probability, in nats a word.

    Shen, Yun, Lipton, Kronrod and Anandkumar (2017).

    Args:
        log_best: `log P(y*)`, `(n_records,)`.
        lengths: Words of each record.
    """
    return np.asarray(np.maximum(-log_best, 0.0) / np.maximum(lengths, 1))


def expected_errors(marginals: Doubles, spans: Doubles, owners: Ints, lengths: Ints) -> Doubles:
    """`min over S of E |S ^ Y|`: how many spans are wrong or missed, in expectation over all tag sequences.

    Of suggested spans S and the true ones Y, `|S ^ Y| = |Y| + sum over S of (1 - 2 [s in Y])`. Expectations add up, so
    this is the sum of the marginals of all `B-` tags, as every span has one, plus `1 - 2 P(s)` for each suggested span:
    exact under the chain, in one sum. S are the best sequence's spans that are likelier than not, which is the choice
    with the fewest errors, and the same whatever share of its spans a model's users want to see. It counts what
    annotators correct and what F1 counts.

    Args:
        marginals: Of each tag of each word, `(n_words, n_tags)`.
        spans: Marginal probability of each span of the best sequences, `(n_spans,)`.
        owners: Record of each of these spans, `(n_spans,)`.
        lengths: Words of each record.
    """
    expected = record_sums(marginals[:, 1::2].sum(axis=1), lengths)
    expected += np.bincount(owners, weights=np.minimum(1.0 - 2.0 * spans, 0.0), minlength=len(lengths))
    return np.maximum(expected, 0.0)


def label_doubt(marginals: Doubles, tags: Ints, lengths: Ints) -> Doubles:
    """`-sum log P(y_t)` over the words whose best tag is of a label: what weights by label are applied to.

    Luo, Tan, Nguyen and Du (2023) weigh each word's measure by the frequency of its (pseudo-)label among the annotated
    words. The weights change with every annotation, the sums by label only with the model.

    Args:
        marginals: Of each tag of each word, `(n_words, n_tags)`.
        tags: The best tag of each word, `(n_words,)`.
        lengths: Words of each record.

    Returns:
        `(n_records, 1 + n_labels)`, in nats; the first column is outside of all spans.
    """
    doubts = -np.log(np.clip(marginals[np.arange(len(tags)), tags], 1e-300, 1.0))
    columns = marginals.shape[1] // 2 + 1
    cells = np.repeat(np.arange(len(lengths)), lengths) * columns + (tags + 1) // 2
    sums = np.bincount(cells, weights=doubts, minlength=len(lengths) * columns)
    return np.asarray(sums.reshape(len(lengths), columns), dtype=np.float64)


def bald(passes: Doubles, entropies: Doubles, n_passes: int, lengths: Ints) -> Doubles:
    """`1/n sum_t H(mean_m p_m(t)) - mean_m H(p_m(t))`: what the weights disagree about, in nats a word.

    Houlsby et al. (2011), with dropout passes as samples of the weights (Gal and Ghahramani 2016); for NER as in
    Siddhant and Lipton (2018), with the mutual information of each word in place of the vote on whole sequences.

    Args:
        passes: Sum over the passes of the words' distributions, `(n_words, n_tags)`.
        entropies: Sum over the passes of the words' entropies, `(n_words,)`.
        n_passes: Number of passes.
        lengths: Words of each record.
    """
    return np.maximum(_mean(entropy(passes / n_passes) - entropies / n_passes, lengths), 0.0)


def log_best(log_mass: Doubles, total: Chain) -> Doubles:
    """`log P(y*)`: the mass of the best sequence over that of all valid ones."""
    return np.asarray(log_mass - total.log_mass)


def entropy(probabilities: Doubles) -> Doubles:
    """Entropy of each row, in nats, `(n_rows,)`."""
    return np.asarray(-(probabilities * np.log(np.maximum(probabilities, 1e-300))).sum(axis=1))


def _mean(values: Doubles, lengths: Ints) -> Doubles:
    return record_sums(values, lengths) / np.maximum(lengths, 1)
