"""Texts longer than the model's window: `python -m benchmarks.long_texts [--quick] --out FILE.json`.

Trains on some of the tfh_patents abstracts and judges all others that do not fit one window. Counted are characters
that no prediction covers, gold spans lost (those that end inside a word apart), and F1 before and behind the end of the
first window, where a script that truncates finds nothing at all. The interval is a bootstrap over records. As a control
the same model reads the same texts in windows of twice the length, as far as it can: where that finds no more behind
the edge, the windows cost nothing, and what differs is the text.
"""

import json
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.corpora import Corpus, data_folder, read_corpus
from benchmarks.options import add_data, make_parser
from benchmarks.recipes import packed_encoder
from benchmarks.report import table, write_report
from spanloop.config import ScoringConfig, TrainingConfig
from spanloop.encoding import Encoded
from spanloop.evaluation.bootstrap import resampled
from spanloop.evaluation.counts import Counts, IntArray, f1_of, record_counts, total
from spanloop.records import Example, ScoredSpan
from spanloop.scoring import Scorer
from spanloop.training.job import Job, run_job
from spanloop.training.targets import make_targets

_ABOUT = "spanloop.json"


def main() -> None:
    """Run the benchmark from the command line."""
    parser = make_parser("long_texts", __doc__, "100 records, 4 epochs")
    add_data(parser)
    parser.add_argument("--records", type=int, default=400, help="to train on")
    options = parser.parse_args()
    corpus = read_corpus(data_folder(options.data), "tfh_patents")
    changes = {"num_train_epochs": 4, "min_steps": 0} if options.quick else {}
    figures = measure(corpus, 100 if options.quick else options.records, **changes)
    write_report(options.out, figures)
    rows = [[part, *figures[part].values()] for part in ("before", "behind", "behind, window doubled")]
    print(table(["part of the text", *figures["before"]], rows))
    print({name: value for name, value in figures.items() if not isinstance(value, dict)})


def measure(corpus: Corpus, records: int, **changes: Any) -> dict[str, Any]:
    """Train on some records, judge the long ones among the others.

    Args:
        corpus: The corpus.
        records: Training records.
        **changes: Fields of `TrainingConfig` that differ from its defaults.

    Returns:
        The figures of the report.
    """
    train = corpus.sample(records, 0)
    taken = {example.id for example in train}
    rest = [e for e in (*corpus.train, *corpus.dev, *corpus.test) if e.id not in taken]
    config = TrainingConfig.model_validate({"model_name_or_path": packed_encoder(), **changes})
    with tempfile.TemporaryDirectory() as folder:
        run_job(Job(train, [], corpus.labels, config, Path(folder)))
        scorer = Scorer.load(Path(folder), ScoringConfig())
        about = json.loads((Path(folder) / _ABOUT).read_text(encoding="utf-8"))
        (Path(folder) / _ABOUT).write_text(json.dumps({**about, "max_length": 2 * about["max_length"]}))
        doubled = Scorer.load(Path(folder), ScoringConfig())
    encoder = scorer._loaded.encoder
    pieces = np.diff(encoder.encode([e.text for e in rest]).text_pieces)
    long = [e for e, n in zip(rest, pieces, strict=True) if n > encoder.capacity]
    targets = make_targets(encoder, long, corpus.labels, "first")
    found, control = (
        {scored.id: scored.spans for scored in way.score((e.id, e.text) for e in long)} for way in (scorer, doubled)
    )
    edges = [_edge(e.text, targets.encoded, i, encoder.capacity) for i, e in enumerate(long)]
    before, behind = (_counts(long, found, edges, behind=part) for part in (False, True))
    drawn = resampled(np.concatenate([before, behind], axis=1), 1000, np.random.default_rng(0))
    differences = 100 * (f1_of(drawn[:, 3:]) - f1_of(drawn[:, :3]))
    return {
        "f1_behind_minus_before": 100 * (total(behind).f1 - total(before).f1),
        "interval": np.quantile(differences, [0.025, 0.975]).tolist(),
        "gold_spans_lost": sum(lost.reason != "boundary" for lost in targets.lost),
        "gold_spans_ending_inside_a_word": sum(lost.reason == "boundary" for lost in targets.lost),
        "characters_unpredicted": sum(_unpredicted(e.text, targets.encoded, i) for i, e in enumerate(long)),
        "before": _summary(total(before)),
        "behind": _summary(total(behind)),
        "behind, window doubled": _summary(total(_counts(long, control, edges, behind=True))),
        "long_records": len(long),
        "longest_tokens": int(pieces.max()),
        "window": config.max_length,
        "train_records": len(train),
    }


def _edge(text: str, encoded: Encoded, i: int, capacity: int) -> int:
    """The character at which the first window of a text ends."""
    words = slice(encoded.text_words[i], encoded.text_words[i + 1])
    outside = encoded.word_first[words] - encoded.text_pieces[i] >= capacity
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
