"""Scoring and training on a GPU: `PYTHONPATH=src python -m benchmarks.gpu [--tiny] --out FILE.json`.

Needs torch, transformers, accelerate and small libraries alone: no datasets, no Argilla, no Prefect, no seqeval, no
pydantic. Encoders of BERT-base's size with random weights, a tokenizer trained on the spot, made-up texts of 30 words
in the mean. The functions measured are those that a round calls. Beside them, in the same run and number format: the
pipeline and Trainer of transformers, and padded batches as one writes them by hand.

Rates are real tokens a second: special tokens count, padding does not. `flops_share` is what the layers' matrix
products of those tokens are of the rate that one large product reaches on the device in the same run. `where` says what
the host spends its time on, in microseconds a token, and how busy the device was. The file is written after every part,
and no part begins when `--seconds` are over.
"""

import gc
import logging
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForTokenClassification

from benchmarks.gpu_scoring import ScoringSpeed
from benchmarks.gpu_training import TrainingSpeed
from benchmarks.made_up import BASE, FAMILIES, TINY, made_up_texts, write_family
from benchmarks.options import make_parser
from benchmarks.report import table, write_report
from spanloop.model.quiet import quiet_transformers
from spanloop.records import Example

Part = Callable[[], dict[str, Any]]
_STEPS = {"default": (8, 4096), "32 windows": (32, 4096), "128 windows": (128, 8192), "512 windows": (512, 32_768)}
_BATCHES = (16_384, 131_072)
_FORWARD, _TRAINING = 2, 6  # operations a weight and token


def main() -> None:
    """Run the benchmark from the command line."""
    parser = make_parser("gpu", __doc__, "a second a way in place of two")
    parser.add_argument("--tiny", action="store_true", help="tiny encoders and few texts: a trial on a CPU")
    parser.add_argument("--families", nargs="+", default=["bert", "deberta-v2"], choices=FAMILIES)
    parser.add_argument("--only", nargs="+", default=[""], help="parts whose names begin so")
    parser.add_argument("--seconds", type=float, default=300, help="no part begins when they are over")
    options = parser.parse_args()
    logging.getLogger("transformers").setLevel(logging.ERROR)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("spanloop").setLevel(logging.INFO)
    began = time.monotonic()
    figures: dict[str, Any] = {"peak_flops": _peak(), "families": {}, "left_out": []}
    texts = made_up_texts(*((60, 8) if options.tiny else (60_000, 30)))
    seconds = 0.01 if options.tiny else 1.0 if options.quick else 2.0
    with tempfile.TemporaryDirectory() as scratch:
        for family in options.families:
            found = figures["families"].setdefault(family, {})
            size = TINY if options.tiny else BASE
            model = write_family(Path(scratch) / family, family, size, texts[:5000])
            found["weights"] = _weights(model)
            for name, part in _parts(model, texts, seconds, warm_up=2 if options.tiny else 10):
                if not name.startswith(tuple(options.only)):
                    continue
                if time.monotonic() - began > options.seconds:
                    figures["left_out"].append(f"{family}: {name}")
                    continue
                found[name] = _run(part, found["weights"], figures["peak_flops"], training=name.startswith("train"))
                print(f"{time.monotonic() - began:5.0f} s  {family}  {name}: {found[name]}", flush=True)
                write_report(options.out, figures)
    print(table(["way", "tokens a second", "share of peak"], _rows(figures)))


def _parts(model: Path, texts: list[Example], seconds: float, warm_up: int) -> Iterator[tuple[str, Part]]:
    """What is measured of one family, the most telling first."""
    scoring = ScoringSpeed(model, texts, 3 * seconds)
    yield "score: ours", scoring.ours
    yield "score: where", scoring.where_time_goes
    training = TrainingSpeed(model, texts[: len(texts) // 6], seconds, warm_up)
    for name, (windows, tokens) in _STEPS.items():
        yield f"train: ours, {name}", lambda w=windows, t=tokens: training.ours(w, t)
    largest = list(_STEPS.values())[-1]
    yield "train: where, default", lambda: training.ours(*_STEPS["default"], watched=True)
    yield "train: where, 512 windows", lambda: training.ours(*largest, watched=True)
    yield "score: pipeline", scoring.pipeline
    yield "score: plain batches", scoring.plain
    yield "train: Trainer, 8 texts", lambda: training.trainer(8)
    yield "train: Trainer, 128 texts", lambda: training.trainer(128)
    by_length = {"train_sampling_strategy": "group_by_length"}
    yield "train: Trainer, 128 texts by length", lambda: training.trainer(128, **by_length)
    yield "score: ours, small chunks", lambda: scoring.ours(small_chunks=True)
    for tokens in _BATCHES:
        yield f"score: ours, {tokens} tokens", lambda t=tokens: scoring.ours(max_tokens_per_batch=t)


def _run(part: Part, weights: int, peak: float, *, training: bool) -> dict[str, Any]:
    """Measure one part; what fails is reported, and the rest goes on."""
    try:
        found = part()
    except Exception as error:  # a part of a benchmark that costs minutes of a lent machine must not end the others
        logging.getLogger("spanloop").exception("this part failed")
        return {"error": repr(error)}
    finally:
        gc.collect()
        torch.cuda.empty_cache()
    if "tokens_per_second" in found:
        operations = (_TRAINING if training else _FORWARD) * weights
        found["flops_share"] = found["tokens_per_second"] * operations / peak
    return found


def _weights(model: Path) -> int:
    """Weights of the layers' matrix products."""
    with quiet_transformers():
        encoder = AutoModelForTokenClassification.from_pretrained(model).base_model
    return sum(p.numel() for name, p in encoder.named_parameters() if "embeddings" not in name and p.ndim > 1)


def _peak() -> float:
    """Operations a second of a large matrix product on the device, best of ten: bf16 on a GPU, else fp32."""
    cuda = torch.cuda.is_available()
    size, kind = (8192, torch.bfloat16) if cuda else (1024, torch.float32)
    a, b = (torch.randn(size, size, device="cuda" if cuda else "cpu", dtype=kind) for _ in range(2))
    seconds = []
    for _ in range(12):
        began = time.perf_counter()
        a @ b
        if cuda:
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - began)
    return 2 * size**3 / min(seconds[2:])


def _rows(figures: dict[str, Any]) -> list[list[Any]]:
    return [
        [f"{family}, {name}", found["tokens_per_second"], found["flops_share"]]
        for family, parts in figures["families"].items()
        for name, found in parts.items()
        if isinstance(found, dict) and "flops_share" in found
    ]


if __name__ == "__main__":
    main()
