"""Speed of training against Hugging Face's Trainer: `python -m benchmarks.training [--quick] --out FILE.json`.

Same encoder, records, epochs, texts a step, side by side in one run: Trainer at its defaults (8 texts a batch), Trainer
with `train_sampling_strategy="group_by_length"`, and spanloop, without folds, with the precision that it chooses and in
fp32. Tokens are real ones, padding not counted. Each is run `--rounds` times, in turns, so that others on the machine
disturb all alike; `cpu_ratio_…` compares processor time, loading included, and is fair even then.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.corpora import data_folder, read_corpus
from benchmarks.options import add_data, make_parser
from benchmarks.recipes import Outcome, f1_of_model, packed_encoder, train_ours, train_tutorial, write_snapshot
from benchmarks.report import table, write_report
from spanloop.config import SplitConfig

Found = tuple[Outcome, float]
"""What a training took, and its F1."""

_BATCH = 8  # Trainer's default


def main() -> None:
    """Run the benchmark from the command line."""
    parser = make_parser("training", __doc__, "192 records, 4 epochs, one round")
    add_data(parser)
    parser.add_argument("--corpus", default="bc5cdr")
    parser.add_argument("--model", default="", help="encoder; default: the one that comes as a package")
    parser.add_argument("--records", type=int, default=384)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--learning-rate", type=float, default=4e-4, help="of Trainer; ours chooses its own")
    options = parser.parse_args()
    if options.quick:
        options.records, options.epochs, options.rounds = 192, 4, 1
    figures = measure(options)
    write_report(options.out, figures)
    rows = [[name, *run.values()] for name, run in figures["runs"].items()]
    print(table(["recipe", *next(iter(figures["runs"].values()))], rows))
    print({name: value for name, value in figures.items() if "ratio" in name})


def measure(options: Any) -> dict[str, Any]:
    """Run every recipe in turns.

    Args:
        options: As the command line gives them.

    Returns:
        The figures of the report.
    """
    corpus = read_corpus(data_folder(options.data), options.corpus)
    train, test = corpus.sample(options.records, 0), corpus.test[: 200 if options.quick else 1000]
    model = options.model or packed_encoder()
    rate, epochs = options.learning_rate, options.epochs
    same: dict[str, Any] = {
        "num_train_epochs": epochs,
        "min_steps": 0,
        "per_device_train_batch_size": _BATCH,
        "folds": 0,
    }
    tutorial = {"learning_rate": rate, "epochs": epochs, "batch": _BATCH}
    grouped = {**tutorial, "train_sampling_strategy": "group_by_length"}

    def ours(**changes: Any) -> Found:
        with tempfile.TemporaryDirectory() as root:
            snapshot = write_snapshot(Path(root), train, corpus.labels, SplitConfig(validation=0, test=0))
            outcome = train_ours(snapshot, model, 0, Path(root) / "model", **same, **changes)
            return outcome, f1_of_model(Path(root) / "model", test)

    def trainer(**changes: Any) -> Found:
        outcome, (f1,) = train_tutorial(train, [test], corpus.labels, model, 0, **changes)
        return outcome, f1

    recipes: dict[str, Callable[[], Found]] = {
        "ours": ours,
        "trainer": lambda: trainer(**tutorial),
        "ours_fp32": lambda: ours(mixed_precision="no"),
        "trainer_grouped": lambda: trainer(**grouped),
    }
    outcomes: dict[str, list[Found]] = {name: [] for name in recipes}
    for _ in range(options.rounds):
        for name, recipe in recipes.items():
            outcomes[name].append(recipe())
    return _figures(options, outcomes)


def _figures(options: Any, outcomes: dict[str, list[Found]]) -> dict[str, Any]:
    runs = {name: _summary(found, options.records * options.epochs) for name, found in outcomes.items()}

    def ratio(name: str, other: str, what: str = "tokens_per_second") -> float:
        return float(runs[name][what] / runs[other][what])

    return {
        "ratio_vs_trainer": ratio("ours", "trainer"),
        "ratio_vs_trainer_grouped": ratio("ours", "trainer_grouped"),
        "ratio_fp32_vs_trainer": ratio("ours_fp32", "trainer"),
        "ratio_fp32_vs_trainer_grouped": ratio("ours_fp32", "trainer_grouped"),
        "cpu_ratio_vs_trainer": ratio("ours", "trainer", "tokens_per_cpu_second"),
        "cpu_ratio_fp32_vs_trainer": ratio("ours_fp32", "trainer", "tokens_per_cpu_second"),
        "f1_ours": runs["ours"]["f1"],
        "f1_trainer": runs["trainer"]["f1"],
        "seconds_to_f1_ours": runs["ours"]["seconds"],
        "seconds_to_f1_trainer": runs["trainer"]["seconds"],
        "corpus": options.corpus,
        "records": options.records,
        "epochs": options.epochs,
        "batch": _BATCH,
        "runs": runs,
    }


def _summary(found: list[Found], samples: int) -> dict[str, float]:
    seconds, cpu, tokens = (
        sum(getattr(outcome, name) for outcome, _ in found) for name in ("seconds", "cpu_seconds", "tokens")
    )
    return {
        "tokens_per_second": tokens / seconds,
        "samples_per_second": samples * len(found) / seconds,
        "tokens_per_cpu_second": tokens / cpu,
        "seconds": seconds / len(found),
        "f1": sum(f1 for _, f1 in found) / len(found),
    }


if __name__ == "__main__":
    main()
