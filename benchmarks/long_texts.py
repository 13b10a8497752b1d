"""Texts longer than the model's window: `python -m benchmarks.long_texts [--quick] --out FILE.json`.

Trains on some of the tfh_patents abstracts and judges all others that do not fit one window. Counted are characters
that no prediction covers, gold spans lost (those that end inside a word apart), and F1 before and behind the end of the
first window, where a script that truncates finds nothing at all. With several seeds other records are trained on, and
the counts of all models are added up. The interval is a bootstrap over records, each with the counts of all models that
judged it. As a control the texts that fill more than half a window, and not more than one, are parted at the same share
of their length: where F1 falls as much there, what differs is the end of the text, not the window.
"""

import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.corpora import Corpus, data_folder, read_corpus
from benchmarks.options import add_data, make_parser
from benchmarks.recipes import packed_encoder
from benchmarks.report import table, write_report
from spanloop.config import ScoringConfig, TrainingConfig
from spanloop.evaluation.bootstrap import resampled
from spanloop.evaluation.counts import Counts, IntArray, f1_of, record_counts, total
from spanloop.model.encoding import Encoded
from spanloop.model.tag_scheme import TagScheme
from spanloop.records import Example, ScoredSpan
from spanloop.scoring import Scorer
from spanloop.training.job import Job, run_job
from spanloop.training.targets import make_targets


def main() -> None:
    """Run the benchmark from the command line."""
    parser = make_parser("long_texts", __doc__, "100 records, 4 epochs, one seed")
    add_data(parser)
    parser.add_argument("--records", type=int, default=400, help="to train on")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], help="each draws the records and trains")
    options = parser.parse_args()
    corpus = read_corpus(data_folder(options.data), "tfh_patents")
    changes = {"num_train_epochs": 4, "min_steps": 0} if options.quick else {}
    if options.quick:
        options.records, options.seeds = 100, [0]
    runs = [judge(corpus, options.records, seed, **changes) for seed in options.seeds]
    figures = summarize(runs, options.records)
    write_report(options.out, figures)
    rows = [
        [part, *figures[part].values()] for part in ("before", "behind", "before, one window", "behind, one window")
    ]
    print(table(["part of the text", *figures["before"]], rows))
    print({name: value for name, value in figures.items() if not isinstance(value, dict)})


@dataclass(frozen=True, slots=True)
class Judged:
    """What one model does on the long records that it was not trained on.

    Attributes:
        ids: The records.
        before: Their counts before the first window's end, `(n_records, 3)`.
        behind: Those behind it.
        whole_before: Counts of the records of one window, `(3,)`, before the same share of their text.
        whole_behind: Those behind it.
        lost: Gold spans lost.
        cut: Gold spans that end inside a word.
        unpredicted: Characters that no prediction covers.
        longest: Tokens of the longest record.
        window: Tokens of a window.
    """

    ids: list[str]
    before: IntArray
    behind: IntArray
    whole_before: IntArray
    whole_behind: IntArray
    lost: int
    cut: int
    unpredicted: int
    longest: int
    window: int


def judge(corpus: Corpus, records: int, seed: int, **changes: Any) -> Judged:
    """Train on some records, judge the long ones among the others.

    Args:
        corpus: The corpus.
        records: Training records.
        seed: Draws them, and is the training's.
        **changes: Fields of `TrainingConfig` that differ from its defaults.
    """
    train = corpus.sample(records, seed)
    taken = {example.id for example in train}
    rest = [e for e in (*corpus.train, *corpus.dev, *corpus.test) if e.id not in taken]
    config = TrainingConfig.model_validate(
        {"model_name_or_path": packed_encoder(), "seed": seed, "folds": 0, **changes}
    )
    with tempfile.TemporaryDirectory() as folder:
        run_job(Job(train, corpus.labels, config, Path(folder)))
        scorer = Scorer.load(Path(folder), ScoringConfig())
    encoder = scorer._loaded.encoder
    subwords = np.diff(encoder.encode([e.text for e in rest]).text_subwords)
    long = [e for e, n in zip(rest, subwords, strict=True) if n > encoder.capacity]
    whole = [e for e, n in zip(rest, subwords, strict=True) if encoder.capacity // 2 < n <= encoder.capacity]
    targets = make_targets(encoder, long, TagScheme(tuple(corpus.labels)), "first")
    found = {scored.id: scored.spans for scored in scorer.score((e.id, e.text) for e in (*long, *whole))}
    edges = [_edge(e.text, targets.encoded, i, encoder.capacity) for i, e in enumerate(long)]
    share = float(np.mean([edge / len(e.text) for edge, e in zip(edges, long, strict=True)]))
    whole_edges = [int(share * len(e.text)) for e in whole]
    return Judged(
        ids=[e.id for e in long],
        before=_counts(long, found, edges, behind=False),
        behind=_counts(long, found, edges, behind=True),
        whole_before=_counts(whole, found, whole_edges, behind=False).sum(axis=0),
        whole_behind=_counts(whole, found, whole_edges, behind=True).sum(axis=0),
        lost=sum(lost.reason != "boundary" for lost in targets.lost),
        cut=sum(lost.reason == "boundary" for lost in targets.lost),
        unpredicted=sum(_unpredicted(e.text, targets.encoded, i) for i, e in enumerate(long)),
        longest=int(subwords.max()),
        window=config.max_length,
    )


def summarize(runs: list[Judged], records: int) -> dict[str, Any]:
    """The figures of the report.

    Args:
        runs: What each model does.
        records: Training records of each.
    """
    ids, row = np.unique([name for run in runs for name in run.ids], return_inverse=True)
    sums = np.zeros((len(ids), 6), dtype=np.int64)
    np.add.at(sums, row, np.concatenate([np.hstack([run.before, run.behind]) for run in runs]))
    drawn = resampled(sums, 1000, np.random.default_rng(0))
    differences = 100 * (f1_of(drawn[:, 3:]) - f1_of(drawn[:, :3]))
    whole = np.array([np.hstack([run.whole_before, run.whole_behind]) for run in runs])
    parts = (*np.split(sums, 2, axis=1), *np.split(whole, 2, axis=1))
    before, behind, whole_before, whole_behind = (_summary(total(part)) for part in parts)
    return {
        "f1_behind_minus_before": behind["f1"] - before["f1"],
        "f1_behind_minus_before_in_one_window": whole_behind["f1"] - whole_before["f1"],
        "f1_behind_minus_before_by_seed": [100 * (total(run.behind).f1 - total(run.before).f1) for run in runs],
        "interval": np.quantile(differences, [0.025, 0.975]).tolist(),
        "gold_spans_lost": sum(run.lost for run in runs),
        "gold_spans_ending_inside_a_word": sum(run.cut for run in runs),
        "characters_unpredicted": sum(run.unpredicted for run in runs),
        "before": before,
        "behind": behind,
        "before, one window": whole_before,
        "behind, one window": whole_behind,
        "long_records": len(ids),
        "longest_tokens": max(run.longest for run in runs),
        "window": runs[0].window,
        "train_records": records,
    }


def _edge(text: str, encoded: Encoded, i: int, capacity: int) -> int:
    """The character at which the first window of a text ends."""
    words = slice(encoded.text_words[i], encoded.text_words[i + 1])
    outside = encoded.word_first[words] - encoded.text_subwords[i] >= capacity
    return int(encoded.word_start[words][outside][0]) if outside.any() else len(text)


def _counts(
    examples: list[Example], found: dict[str, tuple[ScoredSpan, ...]], edges: list[int], *, behind: bool
) -> IntArray:
    """Counts of each record's spans that begin before its edge, or behind it."""
    gold, predictions = [], {}
    for example, edge in zip(examples, edges, strict=True):
        gold.append(replace(example, spans=tuple(s for s in example.spans if (s.start >= edge) == behind)))
        predictions[example.id] = [s for s in found[example.id] if (s.start >= edge) == behind]
    return record_counts(gold, predictions)


def _unpredicted(text: str, encoded: Encoded, i: int) -> int:
    """Visible characters of a text that lie in no predicted word."""
    covered = np.zeros(len(text), dtype=bool)
    words = slice(encoded.text_words[i], encoded.text_words[i + 1])
    for start, stop in zip(encoded.word_start[words], encoded.word_stop[words], strict=True):
        covered[start:stop] = True
    return sum(not c.isspace() and not covered[j] for j, c in enumerate(text))


def _summary(counts: Counts) -> dict[str, float]:
    return {"f1": 100 * counts.f1, **asdict(counts)}


if __name__ == "__main__":
    main()
