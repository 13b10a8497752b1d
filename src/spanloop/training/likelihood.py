"""The loss: how unlikely the gold tags are under the very distribution that scoring decodes.

Scoring keeps the words' distributions to valid IOB2 sequences (`model.chain`). Training maximises the probability of
the gold sequence under the same chain, as in conditional random fields (Lafferty et al. 2001) with fixed transitions,
rather than each tag's for itself: the model need not learn what the grammar of tags rules out. A share of the loss
stays cross-entropy tag by tag, for programs that take each word's likeliest tag, such as pipelines of transformers:
they then find more of the same spans. What both are worth: `docs/lab-notes.md`.
"""

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from spanloop.model.chain import sum_product
from spanloop.model.ragged import Ints

_TAG_BY_TAG = 0.2
"""Share of cross-entropy in the loss."""


def word_loss(
    logits: torch.Tensor, tags: Ints, lengths: Ints, before: Ints, weights: torch.Tensor | None
) -> torch.Tensor:
    """The loss of words, in nats: that of the chain with a share of cross-entropy; arguments as of `chain_loss`."""
    plain = tag_loss(logits, torch.from_numpy(tags).to(logits.device), weights)
    return (1 - _TAG_BY_TAG) * chain_loss(logits, tags, lengths, before, weights) + _TAG_BY_TAG * plain


def tag_loss(logits: torch.Tensor, gold: torch.Tensor, weights: torch.Tensor | None) -> torch.Tensor:
    """Cross-entropy tag by tag, summed, in nats; a `gold` of -100 does not count; `weights` as of `chain_loss`."""
    if weights is None:
        return cross_entropy(logits, gold, reduction="sum")
    return (weights * cross_entropy(logits, gold, reduction="none")).sum()


def chain_loss(
    logits: torch.Tensor, tags: Ints, lengths: Ints, before: Ints, weights: torch.Tensor | None
) -> torch.Tensor:
    """Negative log-likelihood of tag sequences, in nats.

    Args:
        logits: (n_words, n_tags), sequences end to end.
        tags: (n_words,) gold tags; each sequence is valid behind the tag before it.
        lengths: (n_sequences,) words of each sequence, zeros allowed.
        before: (n_sequences,) gold tag of the word before the sequence; 0 where a text begins.
        weights: (n_words,) factors on the gradient at each word; None: all equal.

    Returns:
        The sum over the sequences; its gradient by the words' log-probabilities is the chain's marginals less the gold.
    """
    log_p = logits.log_softmax(1)
    gold = torch.from_numpy(tags).to(logits.device)
    gold_log_p = log_p.gather(1, gold[:, None])[:, 0]
    marginals, log_mass = _marginals(log_p.detach().exp().cpu().numpy(), lengths, before)
    slope = torch.from_numpy(marginals).to(logits)
    slope[torch.arange(len(tags), device=logits.device), gold] -= 1
    if weights is not None:
        slope = slope * weights[:, None]
    carrier = (slope * log_p).sum()  # has the gradient, not the value
    return carrier + (log_mass - gold_log_p.sum() - carrier).detach()


def _marginals(p: np.ndarray, lengths: Ints, before: Ints) -> tuple[np.ndarray, float]:
    """Marginals of the words' tags, and the log-mass of all valid sequences.

    The word before a sequence goes ahead of it in the chain, with all its mass on its gold tag.
    """
    first = np.cumsum(lengths) - lengths + np.arange(len(lengths))  # rows of the words before
    chained = np.zeros((len(p) + len(lengths), p.shape[1]))
    is_word = np.ones(len(chained), dtype=bool)
    is_word[first] = False
    chained[is_word] = p
    # The chain begins a text, where no I- may stand; B- and I- allow the same to follow.
    chained[first, before - (before > 0) * (before % 2 == 0)] = 1.0
    found = sum_product(chained, lengths + 1)
    return found.marginals[is_word], float(found.log_mass.sum())
