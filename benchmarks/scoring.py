"""Speed of scoring against `transformers.pipeline`: `python -m benchmarks.scoring [--quick] --out FILE.json`.

Same model, same texts, same device, side by side in one run: the pipeline text by text, as the tutorials do, and with
batches of 32, against spanloop in fp32 and in int8. Each runs `--rounds` times, in turns, so that others on the machine
disturb all alike; a ratio is one of best rounds. Tokens are real ones: no padding, no special tokens. The texts are of
mixed length, about 30 words in the mean: sentences (bc5cdr, wnut17) and one whole abstract (tfh_patents) in ten.
"""

import logging
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer, pipeline

from benchmarks.corpora import Corpus, data_folder, read_corpus
from benchmarks.models import random_base, trained
from benchmarks.options import add_data, make_parser
from benchmarks.report import table, write_report
from spanloop.config import ScoringConfig
from spanloop.evaluation import evaluate
from spanloop.records import Example, ScoredSpan, Span
from spanloop.scoring import Scorer
from spanloop.training.loading import quiet_transformers

Spans = dict[str, set[Span]]
_SHARES = {"bc5cdr": 9, "wnut17": 9, "tfh_patents": 2}
_PEAK = {"H100": 989e12, "H200": 989e12, "A100": 312e12}  # dense bf16 operations a second, NVIDIA's data sheets


@dataclass(slots=True)
class Run:
    """One way to score, with what it found and how long each round took."""

    score: Callable[[], Spans]
    seconds: list[float]
    cpu_seconds: list[float]
    spans: Spans


def main() -> None:
    """Run the benchmark from the command line."""
    parser = make_parser("scoring", __doc__, "200 texts, two rounds, int8 judged on 300 sentences")
    add_data(parser)
    parser.add_argument("--model", type=Path, help="model folder of spanloop; default: one is trained on bc5cdr")
    parser.add_argument("--base", action="store_true", help="a random encoder of BERT-base size: speed only")
    parser.add_argument("--texts", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--judged", type=int, default=4797, help="bc5cdr test sentences that judge int8's F1")
    parser.add_argument("--train", type=int, default=1000, help="bc5cdr sentences to train on")
    options = parser.parse_args()
    logging.getLogger("transformers").setLevel(logging.ERROR)
    if options.quick:
        options.texts, options.rounds, options.judged, options.train = 200, 2, 300, 300
    figures = measure(options)
    write_report(options.out, figures)
    columns = ["seconds", "cpu_seconds", "records_per_second", "tokens_per_second"]
    print(table(["way", *columns], [[name, *(run[c] for c in columns)] for name, run in figures["runs"].items()]))
    print({name: value for name, value in figures.items() if "ratio" in name or "agreement" in name or "f1" in name})


def measure(options: Any) -> dict[str, Any]:
    """Run every way to score in turns.

    Args:
        options: As the command line gives them.

    Returns:
        The figures of the report.
    """
    folder = data_folder(options.data)
    corpora = {name: read_corpus(folder, name) for name in _SHARES}
    texts = mix(corpora, options.texts)
    with tempfile.TemporaryDirectory() as scratch:
        model = options.model or (
            random_base(Path(scratch)) if options.base else trained(corpora["bc5cdr"], options.train, Path(scratch))
        )
        scorers = {
            "ours": Scorer.load(model, ScoringConfig()),
            "int8": Scorer.load(model, ScoringConfig(backend="int8")),
        }
        runs = _ways(model, scorers, texts)
        for round_ in range(options.rounds + 1):
            for run in runs.values():
                _once(run, warm_up=round_ == 0)
        judged = {name: _f1(scorer, corpora["bc5cdr"], options.judged) for name, scorer in scorers.items()}
    return _figures(runs, texts, scorers["ours"], judged)


def mix(corpora: dict[str, Corpus], count: int) -> list[Example]:
    """Test texts of the corpora in their shares, shuffled; the same for the same count."""
    rng = np.random.default_rng(0)
    chosen = []
    for name, share in _SHARES.items():
        test = corpora[name].test
        size = min(round(count * share / sum(_SHARES.values())), len(test))
        chosen += [test[i] for i in rng.choice(len(test), size, replace=False)]
    return [chosen[i] for i in rng.permutation(len(chosen))]


def _ways(model: Path, scorers: dict[str, Scorer], texts: list[Example]) -> dict[str, Run]:
    with quiet_transformers():
        plain = AutoModelForTokenClassification.from_pretrained(model)
        device = 0 if torch.cuda.is_available() else -1
        tokenizer = AutoTokenizer.from_pretrained(model)
        # "first": a word has the tag of its first subword, as in training
        pipe = pipeline("token-classification", plain, tokenizer=tokenizer, aggregation_strategy="first", device=device)
    ways: dict[str, Callable[[], Spans]] = {
        "pipeline_single": lambda: _by_pipeline(pipe, texts, 1),
        "pipeline_batched": lambda: _by_pipeline(pipe, texts, 32),
        "ours": lambda: _by_scorer(scorers["ours"], texts),
        "int8": lambda: _by_scorer(scorers["int8"], texts),
    }
    return {name: Run(way, [], [], {}) for name, way in ways.items()}


def _by_pipeline(pipe: Any, texts: list[Example], batch: int) -> Spans:
    # The pipeline skips nothing, but cannot take an empty list item as a text of its own: none is empty here.
    found = pipe([t.text for t in texts], batch_size=batch) if batch > 1 else [pipe(t.text) for t in texts]
    return {
        text.id: {Span(int(e["start"]), int(e["end"]), e["entity_group"]) for e in entities}
        for text, entities in zip(texts, found, strict=True)
    }


def _by_scorer(scorer: Scorer, texts: list[Example]) -> Spans:
    return {scored.id: {s.span for s in scored.spans} for scored in scorer.score((t.id, t.text) for t in texts)}


def _once(run: Run, *, warm_up: bool) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    run.spans = run.score()
    if not warm_up:
        run.seconds.append(time.perf_counter() - wall)
        run.cpu_seconds.append(time.process_time() - cpu)


def _f1(scorer: Scorer, corpus: Corpus, count: int) -> float:
    test = corpus.test[:count]
    if not set(scorer.labels) >= set(corpus.labels):
        return float("nan")
    found: dict[str, list[ScoredSpan]] = {s.id: list(s.spans) for s in scorer.score((e.id, e.text) for e in test)}
    return 100 * evaluate(test, found, scorer.labels, samples=100).f1


def _figures(runs: dict[str, Run], texts: list[Example], scorer: Scorer, judged: dict[str, float]) -> dict[str, Any]:
    best = {name: min(run.seconds) for name, run in runs.items()}
    cpu = {name: min(run.cpu_seconds) for name, run in runs.items()}
    tokens = len(scorer._loaded.encoder.encode([t.text for t in texts]).piece_ids)
    words = [len(t.text.split()) for t in texts]
    return {
        "ratio_vs_pipeline_single": best["pipeline_single"] / best["ours"],
        "ratio_vs_pipeline_batched": best["pipeline_batched"] / best["ours"],
        "ratio_int8_vs_pipeline_batched": best["pipeline_batched"] / best["int8"],
        "ratio_int8_vs_ours": best["ours"] / best["int8"],
        "cpu_ratio_vs_pipeline_single": cpu["pipeline_single"] / cpu["ours"],
        "cpu_ratio_vs_pipeline_batched": cpu["pipeline_batched"] / cpu["ours"],
        "cpu_ratio_int8_vs_ours": cpu["ours"] / cpu["int8"],
        "span_agreement": agreement(runs["pipeline_single"].spans, runs["ours"].spans),
        "span_agreement_int8": agreement(runs["ours"].spans, runs["int8"].spans),
        "f1_ours": judged["ours"],
        "f1_int8": judged["int8"],
        "records": len(texts),
        "real_tokens": tokens,
        "mean_words": float(np.mean(words)),
        "longest_words": max(words),
        "parameters": sum(p.numel() for p in scorer._loaded.forward.model.parameters()),
        "runs": {
            name: {
                "seconds": best[name],
                "cpu_seconds": cpu[name],
                "records_per_second": len(texts) / best[name],
                "tokens_per_second": tokens / best[name],
                "all_seconds": run.seconds,
                **_utilisation(scorer, tokens / best[name]),
            }
            for name, run in runs.items()
        },
    }


def agreement(a: Spans, b: Spans) -> float:
    """Share of spans that both found: `2 |a and b| / (|a| + |b|)`, over all texts."""
    both = sum(len(a[name] & b[name]) for name in a)
    total = sum(len(spans) for spans in (*a.values(), *b.values()))
    return 2 * both / total if total else 1.0


def _utilisation(scorer: Scorer, tokens_per_second: float) -> dict[str, float]:
    """Share of the GPU's peak that the layers' matrix products make up; attention itself is left out."""
    name = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
    peak = next((value for key, value in _PEAK.items() if key in name), None)
    if peak is None:
        return {}
    base = scorer._loaded.forward.model.base_model
    weights = sum(p.numel() for n, p in base.named_parameters() if "embedding" not in n)
    return {"model_flops_utilisation": 2 * weights * tokens_per_second / peak}


if __name__ == "__main__":
    main()
