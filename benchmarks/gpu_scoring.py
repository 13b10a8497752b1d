"""Scoring on a GPU: ours by tokens a batch, transformers' pipeline, and plain padded batches (see `benchmarks.gpu`)."""

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer, pipeline

from benchmarks.plain_settings import PlainScoring
from benchmarks.stopwatch import DeviceTime, Stopwatch
from spanloop.model import chain
from spanloop.model.encoding import Encoder
from spanloop.model.forward import Forward, Outputs
from spanloop.model.quiet import quiet_transformers
from spanloop.records import Example
from spanloop.scoring import Scorer, reading, scorer

_PHASES = {
    "tokenize and align (thread)": (Encoder, "encode"),
    "  tokenizer": (Encoder, "_tokenize"),
    "lay out (thread)": (reading, "lay_out"),
    "launch": (Forward, "run"),
    "wait for the device": (Outputs, "_wait"),
    "decode": (scorer, "decode_chunk"),
    "  sums over sequences": (chain, "sum_product"),
    "  best sequences": (chain, "max_product"),
}
_PIPELINE_BATCH = 64
_PLAIN_BATCH = 128


class ScoringSpeed:
    """Ways to score the same texts, each as real tokens a second, special tokens included and padding not."""

    def __init__(self, model: Path, texts: Sequence[Example], seconds: float) -> None:
        """Measure a model folder; `seconds` is about what a way may take."""
        self._model, self._seconds = model, seconds
        self._texts = [(text.id, text.text) for text in texts]
        encoder = Scorer.load(model, PlainScoring())._loaded.encoder  # type: ignore[arg-type]
        windows = encoder.encode([text for _, text in self._texts]).windows
        ends = len(encoder.prefix) + len(encoder.suffix)
        self._tokens = (windows.lengths + ends).tolist()
        self._of_text = windows.text
        self.mean_window = float((windows.lengths + ends).mean())

    def ours(self, *, small_chunks: bool = False, **changes: Any) -> dict[str, Any]:
        """As a round scores; `changes` are for its settings, `small_chunks` are those of CPUs."""
        loaded = Scorer.load(self._model, PlainScoring(**changes))  # type: ignore[arg-type]
        with patch.object(reading, "_ON_GPU", 1) if small_chunks else nullcontext():
            found = self._rate(lambda texts: sum(1 for _ in loaded.score(texts)))
        forward = loaded._loaded.forward
        return {**found, "packed": forward.first_position is not None, "tokens_a_batch": forward.budget}

    def where_time_goes(self) -> dict[str, Any]:
        """One pass as a round makes it: the host's microseconds a token by phase, and the device's kernels."""
        loaded, watch, device = Scorer.load(self._model, PlainScoring()), Stopwatch(), DeviceTime()  # type: ignore[arg-type]
        texts = self._some(self._rate(lambda given: sum(1 for _ in loaded.score(given)))["tokens_per_second"])
        began = time.perf_counter()
        with watch.watching(_PHASES):
            sum(1 for _ in loaded.score(texts))
        wall = time.perf_counter() - began
        device.start()
        sum(1 for _ in loaded.score(texts))
        device.stop()
        tokens = self._count(texts)
        return {"all": {"wall": wall / tokens * 1e6}, **watch.per_token(tokens), "device": device.figures}

    def pipeline(self) -> dict[str, Any]:
        """`transformers.pipeline` with batches, in the device's half precision."""
        with quiet_transformers():
            pipe = pipeline(
                "token-classification", str(self._model), aggregation_strategy="first", device=_device(), dtype=_dtype()
            )
        return self._rate(lambda texts: pipe([text for _, text in texts], batch_size=_PIPELINE_BATCH))

    def plain(self) -> dict[str, Any]:
        """What one writes by hand: texts by length, padded batches, each word piece's likeliest tag, no spans."""
        with quiet_transformers():
            model = AutoModelForTokenClassification.from_pretrained(self._model, dtype=_dtype()).to(_device()).eval()
        tokenizer = AutoTokenizer.from_pretrained(self._model)

        def score(texts: Sequence[tuple[str, str]]) -> None:
            ordered = sorted((text for _, text in texts), key=len)
            for first in range(0, len(ordered), _PLAIN_BATCH):
                part = ordered[first : first + _PLAIN_BATCH]
                batch = tokenizer(part, padding=True, truncation=True, max_length=256, return_tensors="pt")
                with torch.inference_mode():
                    model(**batch.to(_device())).logits.argmax(-1).cpu()

        return self._rate(score)

    def _rate(self, score: Callable[[list[tuple[str, str]]], Any]) -> dict[str, Any]:
        """Tokens a second: as many texts as about a third of the time takes, once to warm up, then the best of two."""
        first = self._texts[: max(len(self._texts) // 50, 16)]
        score(first)
        began = time.perf_counter()
        score(first)
        texts = self._some(self._count(first) / (time.perf_counter() - began))
        seconds = []
        for _ in range(2):
            began = time.perf_counter()
            score(texts)
            seconds.append(time.perf_counter() - began)
        tokens = self._count(texts)
        return {"tokens_per_second": tokens / min(seconds), "seconds": seconds, "tokens": tokens, "texts": len(texts)}

    def _some(self, rate: float) -> list[tuple[str, str]]:
        """As many texts as take a third of the time."""
        share = rate * self._seconds / 3 / max(sum(self._tokens), 1)
        return self._texts[: max(16, int(share * len(self._texts)))]

    def _count(self, texts: Sequence[tuple[str, str]]) -> int:
        return sum(self._tokens[: int((self._of_text < len(texts)).sum())])


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _dtype() -> torch.dtype:
    return torch.bfloat16 if torch.cuda.is_available() else torch.float32
