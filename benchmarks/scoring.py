"""Speed of scoring against `transformers.pipeline`: `python -m benchmarks.scoring [--quick] --out FILE.json`.

Same model, same texts, same device, side by side in one run: the pipeline text by text, as the tutorials do, and with
batches of 32, against spanloop in fp32, with and without the layers of oneDNN, and in int8. Each runs `--rounds` times,
in turns, so that others on the machine disturb all alike; a ratio is one of best rounds. Tokens are real ones: no
padding, no special tokens. The texts are of mixed length, about 30 words in the mean: sentences (bc5cdr, wnut17) and
one whole abstract (tfh_patents) in ten.

`span_agreement` holds the pipeline's spans against ours, and `span_agreement_argmax` against what its own reading (each
word's likeliest tag, `I-` opening a span where none is open) makes of our logits on the texts of one window: what is
missing to 1 in the first and not in the second is due to the constraints and the windows. On a CPU `peak_flops` is what
one large fp32 matrix product reaches in the same run; `model_flops_utilisation` is the layers' share of the peak, which
int8 may exceed.
"""

import logging
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer, pipeline

from benchmarks.corpora import Corpus, data_folder, read_corpus
from benchmarks.models import random_base, trained
from benchmarks.options import add_data, make_parser
from benchmarks.report import table, write_report
from spanloop.config import ScoringConfig
from spanloop.evaluation import evaluate
from spanloop.model.layout import lay_out, words_of
from spanloop.model.quiet import quiet_transformers
from spanloop.records import Example, ScoredSpan, Span
from spanloop.scoring import Scorer, onednn

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
            "ours": Scorer.load(model, ScoringConfig(min_score=0)),  # the pipeline leaves out nothing
            "int8": Scorer.load(model, ScoringConfig(backend="int8", min_score=0)),
            "without_onednn": _without_onednn(model),
        }
        runs = _ways(model, scorers, texts)
        for round_ in range(options.rounds + 1):
            for run in runs.values():
                _once(run, warm_up=round_ == 0)
        judged = {name: _f1(scorers[name], corpora["bc5cdr"], options.judged) for name in ("ours", "int8")}
        argmax = _argmax_spans(scorers["ours"], texts)
        theirs = {name: runs["pipeline_single"].spans[name] for name in argmax}
        alike = {"span_agreement_argmax": agreement(theirs, argmax), "texts_of_one_window": len(argmax)}
        return {**_figures(runs, texts, scorers["ours"], judged, _operations(model)), **alike}


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
        "without_onednn": lambda: _by_scorer(scorers["without_onednn"], texts),
    }
    return {name: Run(way, [], [], {}) for name, way in ways.items()}


def _without_onednn(model: Path) -> Scorer:
    with patch.object(onednn, "pack", lambda model, tokens: None):
        return Scorer.load(model, ScoringConfig(min_score=0))


def _by_pipeline(pipe: Any, texts: list[Example], batch: int) -> Spans:
    # The pipeline skips nothing, but cannot take an empty list item as a text of its own: none is empty here.
    found = pipe([t.text for t in texts], batch_size=batch) if batch > 1 else [pipe(t.text) for t in texts]
    return {
        text.id: {Span(int(e["start"]), int(e["end"]), e["entity_group"]) for e in entities}
        for text, entities in zip(texts, found, strict=True)
    }


def _by_scorer(scorer: Scorer, texts: list[Example]) -> Spans:
    return {scored.id: {s.span for s in scored.spans} for scored in scorer.score((t.id, t.text) for t in texts)}


def _argmax_spans(scorer: Scorer, texts: list[Example]) -> Spans:
    """The spans that the pipeline's reading finds in our logits, for the texts that fit one window."""
    encoder, forward = scorer._loaded.encoder, scorer._loaded.forward
    short = [text for text in texts if len(encoder.encode([text.text]).windows) == 1]
    encoded = encoder.encode([text.text for text in short])
    layout = lay_out(encoded, encoder.prefix, encoder.suffix, forward.budget, padding=forward.padding)
    word, token = words_of(encoded, layout.subword)
    tags = np.zeros(len(word), dtype=np.int64)
    tags[word] = forward.run(layout, token).logits.argmax(axis=1)
    found: Spans = {}
    for text, (low, high) in zip(short, pairwise(encoded.text_words), strict=True):
        spans: list[Span] = []
        before = 0
        for at in range(low, high):
            tag, start, stop = int(tags[at]), int(encoded.word_start[at]), int(encoded.word_stop[at])
            if tag and tag % 2 == 0 and before in (tag - 1, tag):  # B- of a label is odd, its I- is the next
                spans[-1] = Span(spans[-1].start, stop, spans[-1].label)
            elif tag:
                spans.append(Span(start, stop, scorer.labels[(tag - 1) // 2]))
            before = tag
        found[text.id] = set(spans)
    return found


def _operations(model: Path) -> int:
    """Operations a token of the layers' matrix products; attention itself is left out."""
    with quiet_transformers():
        encoder = AutoModelForTokenClassification.from_pretrained(model).base_model
    return 2 * sum(p.numel() for name, p in encoder.named_parameters() if "embedding" not in name)


def _peak_flops() -> float:
    """Operations a second of a large fp32 matrix product on this CPU, best of ten."""
    size = 2048
    a, b = torch.randn(size, size), torch.randn(size, size)
    seconds = []
    for _ in range(10):
        start = time.perf_counter()
        a @ b
        seconds.append(time.perf_counter() - start)
    return 2 * size**3 / min(seconds)


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


def _figures(
    runs: dict[str, Run], texts: list[Example], scorer: Scorer, judged: dict[str, float], operations: int
) -> dict[str, Any]:
    best = {name: min(run.seconds) for name, run in runs.items()}
    cpu = {name: min(run.cpu_seconds) for name, run in runs.items()}
    tokens = len(scorer._loaded.encoder.encode([t.text for t in texts]).subword_ids)
    words = [len(t.text.split()) for t in texts]
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
    peak = next((value for key, value in _PEAK.items() if key in gpu), None) if gpu else _peak_flops()
    return {
        "ratio_vs_pipeline_single": best["pipeline_single"] / best["ours"],
        "ratio_vs_pipeline_batched": best["pipeline_batched"] / best["ours"],
        "ratio_int8_vs_pipeline_batched": best["pipeline_batched"] / best["int8"],
        "ratio_int8_vs_ours": best["ours"] / best["int8"],
        "cpu_ratio_vs_pipeline_single": cpu["pipeline_single"] / cpu["ours"],
        "cpu_ratio_vs_pipeline_batched": cpu["pipeline_batched"] / cpu["ours"],
        "cpu_ratio_int8_vs_ours": cpu["ours"] / cpu["int8"],
        "ratio_vs_without_onednn": best["without_onednn"] / best["ours"],
        "cpu_ratio_vs_without_onednn": cpu["without_onednn"] / cpu["ours"],
        "span_agreement": agreement(runs["pipeline_single"].spans, runs["ours"].spans),
        "span_agreement_int8": agreement(runs["ours"].spans, runs["int8"].spans),
        "f1_ours": judged["ours"],
        "f1_int8": judged["int8"],
        "records": len(texts),
        "real_tokens": tokens,
        "mean_words": float(np.mean(words)),
        "longest_words": max(words),
        "operations_per_token": operations,
        "peak_flops": peak,
        "runs": {
            name: {
                "seconds": best[name],
                "cpu_seconds": cpu[name],
                "records_per_second": len(texts) / best[name],
                "tokens_per_second": tokens / best[name],
                "all_seconds": run.seconds,
                **({} if peak is None else {"model_flops_utilisation": operations * tokens / best[name] / peak}),
            }
            for name, run in runs.items()
        },
    }


def agreement(a: Spans, b: Spans) -> float:
    """Share of spans that both found: `2 |a and b| / (|a| + |b|)`, over all texts."""
    both = sum(len(a[name] & b[name]) for name in a)
    total = sum(len(spans) for spans in (*a.values(), *b.values()))
    return 2 * both / total if total else 1.0


if __name__ == "__main__":
    main()
