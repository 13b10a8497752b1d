"""Texts longer than the model's window: `python -m benchmarks.long_texts [--quick] --out FILE.json`.

Trains on some of the tfh_patents abstracts and judges all others that do not fit one window. Counted are characters
that no prediction covers, gold spans lost (those that end inside a word apart),
and F1 before and behind the end of the first window, where a script that truncates finds nothing at all. The interval
is a bootstrap over records.
"""

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.corpora import Corpus, data_folder, read_corpus
from benchmarks.recipes import packed_encoder
from benchmarks.report import table, write_report
from spanloop.config import ScoringConfig, TrainingConfig
from spanloop.encoding import Encoded
from spanloop.records import Example, Span
from spanloop.scoring import Scorer
from spanloop.training.job import Job, run_job
from spanloop.training.targets import make_targets

Counts = np.ndarray
"""(n_records, 3): spans found and gold, spans found, gold spans."""


@dataclass(frozen=True, slots=True)
class _Parts:
    before: Counts
    behind: Counts


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.long_texts", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="100 records, 4 epochs")
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--data", type=Path, help="folder of the corpora; default $SPANLOOP_DATA or ../shared/data")
    parser.add_argument("--records", type=int, default=400, help="to train on")
    options = parser.parse_args()
    corpus = read_corpus(data_folder(options.data), "tfh_patents")
    changes = {"num_train_epochs": 4, "min_steps": 0} if options.quick else {}
    figures = measure(corpus, 100 if options.quick else options.records, **changes)
    write_report(options.out, figures)
    rows = [[part, *figures[part].values()] for part in ("before", "behind")]
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
    encoder = scorer._loaded.encoder
    pieces = np.diff(encoder.encode([e.text for e in rest]).text_pieces)
    long = [e for e, n in zip(rest, pieces, strict=True) if n > encoder.capacity]
    targets = make_targets(encoder, long, corpus.labels, "first")
    found = [{s.span for s in scored.spans} for scored in scorer.score((e.id, e.text) for e in long)]
    parts = _split(long, found, targets.encoded, encoder.capacity)
    return {
        "f1_behind_minus_before": _f1(parts.behind) - _f1(parts.before),
        "interval": _interval(parts),
        "gold_spans_lost": sum(lost.reason != "boundary" for lost in targets.lost),
        "gold_spans_ending_inside_a_word": sum(lost.reason == "boundary" for lost in targets.lost),
        "characters_unpredicted": sum(_unpredicted(e.text, targets.encoded, i) for i, e in enumerate(long)),
        "before": _summary(parts.before),
        "behind": _summary(parts.behind),
        "long_records": len(long),
        "longest_tokens": int(pieces.max()),
        "window": config.max_length,
        "train_records": len(train),
    }


def _split(examples: list[Example], found: list[set[Span]], encoded: Encoded, capacity: int) -> _Parts:
    """Count each record's spans that begin before and behind the end of its first window."""
    parts = _Parts(*(np.zeros((len(examples), 3), dtype=np.int64) for _ in range(2)))
    for i, (example, spans) in enumerate(zip(examples, found, strict=True)):
        words = slice(encoded.text_words[i], encoded.text_words[i + 1])
        outside = encoded.word_first[words] - encoded.text_pieces[i] >= capacity
        edge = int(encoded.word_start[words][outside][0]) if outside.any() else len(example.text)
        gold = set(example.spans)
        for counts, behind in ((parts.before, False), (parts.behind, True)):
            mine, theirs = ({s for s in all_ if (s.start >= edge) == behind} for all_ in (spans, gold))
            counts[i] = len(mine & theirs), len(mine), len(theirs)
    return parts


def _unpredicted(text: str, encoded: Encoded, i: int) -> int:
    """Visible characters of a text that lie in no predicted word."""
    covered = np.zeros(len(text), dtype=bool)
    words = slice(encoded.text_words[i], encoded.text_words[i + 1])
    for start, stop in zip(encoded.word_start[words], encoded.word_stop[words], strict=True):
        covered[start:stop] = True
    return sum(not c.isspace() and not covered[j] for j, c in enumerate(text))


def _f1(counts: Counts) -> float:
    both, mine, theirs = counts.sum(axis=0)
    return float(200 * both / max(mine + theirs, 1))


def _interval(parts: _Parts) -> list[float]:
    rng = np.random.default_rng(0)
    rows = rng.integers(len(parts.before), size=(1000, len(parts.before)))
    differences = [_f1(parts.behind[r]) - _f1(parts.before[r]) for r in rows]
    return [float(x) for x in np.percentile(differences, [2.5, 97.5])]


def _summary(counts: Counts) -> dict[str, float]:
    both, mine, theirs = (int(x) for x in counts.sum(axis=0))
    return {"f1": _f1(counts), "gold": theirs, "found": mine, "right": both}


if __name__ == "__main__":
    main()
