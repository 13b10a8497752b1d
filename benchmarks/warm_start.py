"""Starting each training from the model in service or from the base: `python -m benchmarks.warm_start --out FILE.json`.

A loop grows: at each size one model starts from the base encoder (`training.start_from: base`), another from the model
of the size before (`champion`). Same records, dealt by the split; same steps;
F1 of exact spans on the test set, mean over the seeds.
"""

import tempfile
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.corpora import Corpus, data_folder, read_corpus
from benchmarks.options import add_data, make_parser
from benchmarks.recipes import f1_of_model, packed_encoder, write_snapshot
from benchmarks.report import table, write_report
from spanloop.config import SplitConfig, TrainingConfig
from spanloop.training import train


def main() -> None:
    """Run the benchmark from the command line."""
    parser = make_parser("warm_start", __doc__, "50 and 100 records, one seed, 500 test examples")
    add_data(parser)
    parser.add_argument("--corpus", default="bc5cdr")
    parser.add_argument("--sizes", nargs="+", type=int, default=[100, 200, 300])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--test", type=int, default=2000, help="test examples used")
    options = parser.parse_args()
    if options.quick:
        options.sizes, options.seeds, options.test = [50, 100], [0], 500
    corpus = read_corpus(data_folder(options.data), options.corpus)
    runs = [measure(corpus, options.sizes, seed, options.test) for seed in options.seeds]
    scores = {
        start: {size: mean(run[start][size] for run in runs) for size in map(str, options.sizes)}
        for start in ("base", "champion")
    }
    gain = {size: scores["champion"][size] - scores["base"][size] for size in scores["base"]}
    figures: dict[str, Any] = {"delta_f1_of_warm_start": gain, "f1": scores, "f1_by_seed": runs}
    write_report(options.out, {**figures, "corpus": options.corpus, "seeds": options.seeds})
    print(table(["start", *gain], [[name, *(100 * x for x in row.values())] for name, row in scores.items()]))


def measure(corpus: Corpus, sizes: list[int], seed: int, n_test: int) -> dict[str, dict[str, float]]:
    """F1 by start and size for one seed.

    Args:
        corpus: The corpus.
        sizes: Records in all, rising.
        seed: Of the sample and of training.
        n_test: Test examples used.
    """
    config = TrainingConfig(model_name_or_path=packed_encoder(), seed=seed)
    test, scores = corpus.test[:n_test], {"base": dict[str, float](), "champion": dict[str, float]()}
    with tempfile.TemporaryDirectory() as scratch:
        for start, found in scores.items():
            before: Path | None = None
            for size in sizes:
                out = Path(scratch) / f"{start}-{size}"
                snapshot = write_snapshot(out / "store", corpus.sample(size, seed), corpus.labels, SplitConfig())
                train(snapshot, config, out / "model", init_from=before)
                found[str(size)] = f1_of_model(out / "model", test)
                before = out / "model" if start == "champion" else None
                print(f"{corpus.name} {size} seed {seed}: from {start} {found[str(size)]:.4f}", flush=True)
    return scores


if __name__ == "__main__":
    main()
