"""What suggestions on test records do to the judge: `python -m benchmarks.anchoring [--data DATA] --out FILE.json`.

A champion and a better challenger; test records answered by simulated annotators who lean to what they see, as
`spanloop simulate --anchoring` has them: once with the champion's suggestions before them, once blind, as a round
leaves held-out records. On that gold the shipped gate decides. Which F1 do both models seem to have, and how often does
the better one go into service?

Without `--data` texts and models are made up. With it, two models of a corpus are trained as a round trains them (two
minutes each on two cores) and their predictions are kept in `--cache`.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from benchmarks.corpora import read_corpus
from benchmarks.options import make_parser
from benchmarks.recipes import packed_encoder
from benchmarks.report import table, write_report
from spanloop.config import GateConfig, LoopConfig, ScoringConfig, TaskConfig, TrainingConfig
from spanloop.evaluation.counts import record_counts, total
from spanloop.evaluation.gate import decide
from spanloop.records import Example, Record, ScoredSpan, Span, Suggestion
from spanloop.rehearsal.mistakes import Habits
from spanloop.scoring import predict
from spanloop.training.job import Job, run_job

RATES = (0.0, 0.1, 0.2)
SIZES = (50, 100, 200)
_LABELS = ["a", "b"]
_SLOTS, _WORDS = 8, 4  # a made-up text is eight times four words, and each time may hold a span
_TRAINED_ON = (100, 200)  # records of the champion and of the challenger
_PREDICTIONS = TypeAdapter(dict[str, list[ScoredSpan]])

Predictions = dict[str, list[ScoredSpan]]


@dataclass(frozen=True, slots=True)
class Contest:
    """Two models on records that judge them.

    Attributes:
        name: Where the texts come from.
        examples: The records with their right spans, each a document of the test split.
        champion: What the model in service finds.
        challenger: What the other one finds.
    """

    name: str
    examples: list[Example]
    champion: Predictions
    challenger: Predictions

    def f1(self) -> tuple[float, float]:
        """What the models are truly worth, in percent."""
        champion, challenger = (total(record_counts(self.examples, p)).f1 for p in (self.champion, self.challenger))
        return 100 * champion, 100 * challenger


@dataclass(frozen=True, slots=True)
class Judged:
    """What a judge with such gold says, mean over the test splits, F1 in points.

    Attributes:
        records: Size of the test split.
        anchoring: How much annotators lean to suggestions.
        blind: Whether there were none to see.
        champion: F1 that the champion seems to have.
        challenger: F1 that the challenger seems to have.
        champion_bias: How much that is above what the right spans of the same records say.
        challenger_bias: Likewise.
        promoted: Share of the splits on which the challenger goes into service.
    """

    records: int
    anchoring: float
    blind: bool
    champion: float
    challenger: float
    champion_bias: float
    challenger_bias: float
    promoted: float


def main() -> None:
    """Run the benchmark from the command line."""
    parser = make_parser("anchoring", __doc__, "a tenth of the test splits")
    parser.add_argument("--data", type=Path, help="folder of the corpora; without it texts and models are made up")
    parser.add_argument("--corpus", default="bc5cdr")
    parser.add_argument("--cache", type=Path, default=Path(".anchoring"), help="folder for predictions")
    parser.add_argument("--trials", type=int, default=400, help="test splits a size")
    options = parser.parse_args()
    contest = trained(options.data, options.corpus, options.cache) if options.data else made_up()
    trials = max(10, options.trials // 10) if options.quick else options.trials
    rows = [row for records in SIZES for row in judge(contest, records, trials)]
    champion, challenger = contest.f1()
    truth = {"records": len(contest.examples), "champion_f1": champion, "challenger_f1": challenger}
    write_report(options.out, {"corpus": contest.name, "trials": trials, **truth, "judged": [asdict(x) for x in rows]})
    print(f"{contest.name}: the champion is truly worth {champion:.1f}, the challenger {challenger:.1f}\n")
    header = ["test records", "anchoring", "annotators see", "champion reads", "challenger reads", "promoted"]
    print(table(header, [_cells(row) for row in rows]))


def judge(contest: Contest, records: int, trials: int) -> list[Judged]:
    """Let the gate decide on test splits of each kind of gold, the same records for all kinds.

    Args:
        contest: The models and the records.
        records: Size of a test split.
        trials: How many test splits; annotators err anew on each.
    """
    rng = np.random.default_rng(records)
    kinds = [(rate, blind) for rate in RATES for blind in (False, True)]
    seen = np.zeros((trials, len(kinds), 3))
    for trial in range(trials):
        chosen = [contest.examples[i] for i in rng.choice(len(contest.examples), records, replace=False)]
        for i, (rate, blind) in enumerate(kinds):
            gold = annotate(chosen, contest.champion, Habits(anchoring=rate, seed=trial), blind=blind)
            verdict = decide(gold, contest.champion, contest.challenger, GateConfig())
            seen[trial, i] = (100 * (verdict.champion_f1 or 0), 100 * (verdict.challenger_f1 or 0), verdict.promote)
    means = seen.mean(axis=0)
    bias = (means - means[kinds.index((0.0, True))])[:, :2]
    return [
        Judged(records, rate, blind, mean[0], mean[1], off[0], off[1], mean[2])
        for (rate, blind), mean, off in zip(kinds, means.tolist(), bias.tolist(), strict=True)
    ]


def annotate(examples: Sequence[Example], suggested: Predictions, habits: Habits, *, blind: bool) -> list[Example]:
    """The examples with the spans that a simulated annotator marks.

    Args:
        examples: Records with their right spans.
        suggested: What the model in service suggests, where a round shows it.
        habits: How the annotator errs.
        blind: The setting `task.blind_held_out`.
    """
    labels = sorted({span.label for example in examples for span in example.spans})
    config = LoopConfig(task=TaskConfig(labels=labels, blind_held_out=blind))
    answered = []
    for example in examples:
        shown = None if config.is_blind(example.group) else Suggestion(tuple(suggested[example.id]), "champion")
        record = Record(example.id, example.text, example.group, suggestion=shown)
        answered.append(replace(example, spans=habits.answer("annotator", record, example.spans, labels)))
    return answered


def trained(data: Path, name: str, cache: Path) -> Contest:
    """Two models of a corpus, on records of its development set."""
    corpus, cached, found = read_corpus(data, name), [cache / f"{name}-{n}.json" for n in _TRAINED_ON], []
    examples = [_of_the_test(example) for example in corpus.dev]
    cache.mkdir(parents=True, exist_ok=True)
    for path, size in zip(cached, _TRAINED_ON, strict=True):
        if not path.exists():
            config = TrainingConfig(model_name_or_path=packed_encoder())
            with tempfile.TemporaryDirectory() as folder:
                run_job(Job(corpus.sample(size, 0), corpus.labels, config, Path(folder)))
                predictions = predict(Path(folder), examples, ScoringConfig())
            path.write_bytes(_PREDICTIONS.dump_json(predictions))
        found.append(_PREDICTIONS.validate_json(path.read_bytes()))
    return Contest(name, examples, *found)


def made_up(records: int = 3000, seed: int = 0) -> Contest:
    """Made-up texts, and two models that agree on most of them as models of neighbouring rounds do."""
    rng = np.random.default_rng(seed)
    text = " ".join(["word"] * _SLOTS * _WORDS)
    shape = (records, _SLOTS)
    gold = np.where(rng.random(shape) < 0.3, rng.integers(1, 3, shape), 0)  # words of the span, 0: none
    ease = rng.normal(0, 1, (records, 1)) + rng.logistic(size=shape)
    slip = rng.random(shape)
    examples, answers = [], ([], [])
    skills = [skill + ease + rng.normal(0, 0.7, shape) for skill in (0.49, 0.63)]
    for row in range(records):
        examples.append(_of_the_test(Example(f"r{row}", text, tuple(_spans(gold[row])))))
        for answer, skill in zip(answers, skills, strict=True):
            answer.append(_spans(_found(gold[row], skill[row], slip[row])))
    champion, challenger = (
        {e.id: [ScoredSpan(s.start, s.end, s.label, 0.9) for s in spans] for e, spans in zip(examples, a, strict=True)}
        for a in answers
    )
    return Contest("made up", examples, champion, challenger)


def _found(gold: Any, skill: Any, slip: Any) -> Any:
    """Words of what a model marks: where it fails, an end off by a word, or nothing, or a span too many."""
    wrong = np.where(gold > 0, np.where(slip < 0.4, 3 - gold, 0), np.where(slip < 0.6, 1, 0))
    enough = np.where(gold > 0, 0.0, -2.2)
    return np.where(skill > enough, gold, wrong)


def _spans(words: Any) -> list[Span]:
    """A span of so many words at the beginning of each slot."""
    starts = (5 * _WORDS * slot for slot in range(_SLOTS))
    return [Span(s, s + 5 * n - 1, _LABELS[n % 2]) for s, n in zip(starts, words.tolist(), strict=True) if n]


def _of_the_test(example: Example) -> Example:
    """The example as a document that the split deals to the test."""
    splits = LoopConfig().splits
    names = (f"{example.id}/{number}" for number in count())
    return replace(example, group=next(name for name in names if splits.split_of(name) == "test"))


def _cells(row: Judged) -> list[object]:
    sees = "nothing" if row.blind else "the champion's suggestions"
    reads = [f"{f1:.1f} ({off:+.1f})" for f1, off in
             ((row.champion, row.champion_bias), (row.challenger, row.challenger_bias))]  # fmt: skip
    return [row.records, f"{row.anchoring:.0%}", sees, *reads, f"{row.promoted:.0%}"]


if __name__ == "__main__":
    main()
