"""Large pools of judged records from which test splits are drawn: what a model is truly worth is its F1 on the pool.

A pool is counts alone: correct, predicted and gold spans of every record, of a few models of about the same worth.
`made_up` needs nothing; `trained` takes real predictions of real models. `at` turns one into a model of any F1.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.corpora import Corpus, read_corpus
from benchmarks.recipes import packed_encoder
from spanloop.config import ScoringConfig, TrainingConfig
from spanloop.evaluation.counts import IntArray, f1_of, record_counts
from spanloop.records import Example
from spanloop.scoring import predict
from spanloop.training.job import Job, run_job

SENTENCES = 9  # of a document: neighbours in the corpus
_RUNS = ((100, 0), (120, 0), (100, 1))  # training records, seed: two rounds in a row, and another training
_OWN = 1.0  # what a made-up model has for itself, beside a logistic noise that all models share


@dataclass(frozen=True, slots=True)
class Pool:
    """Counts of a few models on the same records.

    Attributes:
        name: Where they come from.
        models: Shape (models, records, 3): correct, predicted, gold.
        in_documents: Whether neighbouring records come from the same text.
    """

    name: str
    models: IntArray
    in_documents: bool

    def f1(self) -> list[float]:
        """F1 of each model on the whole pool."""
        return [float(x) for x in f1_of(self.models.sum(axis=1))]


def made_up(documents: int = 600, seed: int = 0) -> Pool:
    """Three models on made-up documents of nine sentences, which are alike in their number of spans and difficulty.

    Whether a span is found hangs on its document, on itself, and a little on the model: two models agree on most spans.
    """
    rng = np.random.default_rng(seed)
    records = documents * SENTENCES
    gold = rng.poisson(np.repeat(rng.gamma(2.0, 1.0, documents), SENTENCES))
    traps = rng.poisson(0.6 * gold + 0.1)  # places where a span may be seen and none is
    ease = np.repeat(rng.normal(0.4, 0.8, documents), SENTENCES)
    span, trap = np.repeat(np.arange(records), gold), np.repeat(np.arange(records), traps)
    plain, tempting = ease[span] + rng.logistic(size=len(span)), rng.logistic(size=len(trap)) - ease[trap]
    models = []
    for _ in _RUNS:
        found = span[plain + rng.normal(0, _OWN, len(span)) > 0]
        fallen = trap[tempting + rng.normal(0, _OWN, len(trap)) > 0]
        correct = np.bincount(found, minlength=records)
        models.append(np.stack([correct, correct + np.bincount(fallen, minlength=records), gold], axis=1))
    return Pool("made up", np.stack(models), in_documents=True)


def trained(data: Path, name: str, cache: Path) -> Pool:
    """Three small models of a corpus, on records that none was trained on; kept, for training takes minutes.

    Args:
        data: The folder of the corpora.
        name: The corpus: bc5cdr's development set lies in the order of its texts, others are judged on what is left of
            their training sets.
        cache: Where counts are kept.
    """
    corpus, cached = read_corpus(data, name), cache / f"{name}.npy"
    if not cached.exists():
        pool = corpus.dev if name == "bc5cdr" else _rest(corpus)
        cache.mkdir(parents=True, exist_ok=True)
        np.save(cached, np.stack([_counts(corpus, pool, size, seed) for size, seed in _RUNS]))
    return Pool(name, np.load(cached), in_documents=name == "bc5cdr")


def at(counts: IntArray, f1: float, churn: float, rng: np.random.Generator) -> IntArray:
    """A model of a given F1: spans of another are spoilt or put right at random.

    Args:
        counts: Shape (records, 3), of the other model.
        f1: What is wanted on the whole, in 0..1; met within the noise of the draw.
        churn: Share of its right spans that are spoilt in any case, so that models made from one differ.
        rng: Source of the draws.
    """
    spoilt = _spoil(counts, churn, rng)
    change = _put_right if f1_of(spoilt.sum(axis=0)) < f1 else _spoil
    low, high, seed = 0.0, 1.0, int(rng.integers(2**31))
    for _ in range(12):
        share = (low + high) / 2
        found = float(f1_of(change(spoilt, share, np.random.default_rng(seed)).sum(axis=0)))
        too_little = found < f1 if change is _put_right else found > f1
        low, high = (share, high) if too_little else (low, share)
    return change(spoilt, high, np.random.default_rng(seed))


def documents(counts: IntArray) -> IntArray:
    """Records of a pool in documents of nine, shape (documents, nine, columns)."""
    return counts[: len(counts) // SENTENCES * SENTENCES].reshape(-1, SENTENCES, counts.shape[-1])


def _spoil(counts: IntArray, share: float, rng: np.random.Generator) -> IntArray:
    """Of the right spans a share is lost, half of it to a wrong span in its place."""
    lost = rng.binomial(counts[:, 0], share)
    return counts - np.stack([lost, rng.binomial(lost, 0.5), np.zeros_like(lost)], axis=1)


def _put_right(counts: IntArray, share: float, rng: np.random.Generator) -> IntArray:
    """Of the missed spans a share is found, of the wrong ones a share goes."""
    correct, predicted, gold = counts.T
    found, gone = rng.binomial(gold - correct, share), rng.binomial(predicted - correct, share)
    return counts + np.stack([found, found - gone, np.zeros_like(found)], axis=1)


def _rest(corpus: Corpus) -> list[Example]:
    used = {example.id for size, seed in _RUNS for example in corpus.sample(size, seed)}
    return [example for example in corpus.train if example.id not in used]


def _counts(corpus: Corpus, pool: list[Example], size: int, seed: int) -> IntArray:
    config = TrainingConfig(model_name_or_path=packed_encoder(), seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        run_job(Job(corpus.sample(size, seed), corpus.labels, config, Path(folder)))
        counts = record_counts(pool, predict(Path(folder), pool, ScoringConfig()))
    print(f"{corpus.name}, {size} records, seed {seed}: F1 {100 * float(f1_of(counts.sum(axis=0))):.1f}", flush=True)
    return counts
