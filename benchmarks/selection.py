"""Speed of the queue's order at 100,000 records: `python -m benchmarks.selection [--quick] --out FILE.json`.

Records of all lengths from documents of ten, one in five a near repetition, with statistics, embeddings of 384 numbers
and 5,000 annotated records beside them. Each step is timed alone over `mnlp`, then all at once, then the cold start,
which has no statistics, with embeddings and with hashed words. Beside the time that passes, processor time is given: it
says the same on a busy machine.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.options import make_parser
from benchmarks.report import table, write_report
from spanloop.config import SelectionConfig, SplitConfig
from spanloop.records import Span, Statistics
from spanloop.selection import STEPS, STRATEGIES, Annotated, Pending, prioritise

_KINDS, _DIMENSIONS, _VOCABULARY = 200, 384, 20_000
_ALL_STEPS = {"cost": 0.5, "duplicates": 0.9, "groups": 0.5, "diversity": 0.3}


def main() -> None:
    """Run the benchmark from the command line."""
    parser = make_parser("selection", __doc__, "10,000 records")
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--annotated", type=int, default=5000)
    options = parser.parse_args()
    if options.quick:
        options.records, options.annotated = 10_000, 500
    figures = measure(options.records, options.annotated)
    print(table(("order", "seconds", "processor seconds"), [(name, *each.values()) for name, each in figures.items()]))
    sizes = {"records": options.records, "annotated": options.annotated}
    write_report(options.out, {"sizes": sizes, "figures": figures})


def measure(records: int, annotated: int) -> dict[str, dict[str, float]]:
    """Order the same records in every way.

    Returns:
        Seconds that passed and seconds of the processor, by what was ordered by.
    """
    pending = made_up(records, 0)
    done = [
        Annotated(f"done-{r.id}", r.group, r.text, (Span(0, 9, "disease"),), r.embedding) for r in made_up(annotated, 1)
    ]
    cold = [replace(record, statistics=None) for record in pending]
    wordy = [replace(record, embedding=None) for record in cold]
    measured = [name for name, strategy in STRATEGIES.items() if strategy.is_measure]
    unmeasured = [name for name in STRATEGIES if name not in measured]
    ways: list[tuple[str, Sequence[Pending], SelectionConfig]] = [
        *((name, pending, SelectionConfig(strategy=name)) for name in measured),
        *((f"mnlp, {name}", pending, SelectionConfig(steps={name: 0.5})) for name in STEPS),
        ("every step", pending, SelectionConfig(strategy="expected_errors", steps=_ALL_STEPS)),
        *((f"cold start, {name}", cold, SelectionConfig(cold_start=name)) for name in unmeasured),
        *(
            (f"cold start, {name}, {kind}, every step", rows, SelectionConfig(cold_start=name, steps=_ALL_STEPS))
            for name in ("core_set", "typiclust")
            for kind, rows in (("embeddings", cold), ("words", wordy))
        ),
    ]
    return {name: _timed(rows, config, done) for name, rows, config in ways}


def _timed(pending: Sequence[Pending], config: SelectionConfig, annotated: Sequence[Annotated]) -> dict[str, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    found = prioritise(pending, config, SplitConfig(), annotated=annotated)
    assert len(found) == len(pending)
    return {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}


def made_up(count: int, seed: int) -> list[Pending]:
    """Records of several kinds of text, with random statistics.

    Args:
        count: How many.
        seed: Of everything in them; the kinds are the same for all seeds.
    """
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(0).standard_normal((_KINDS, _DIMENSIONS)).astype(np.float32)
    kinds = rng.integers(0, _KINDS, count)
    vectors = (centres[kinds] + 0.7 * rng.standard_normal((count, _DIMENSIONS), dtype=np.float32)).astype(np.float16)
    lengths = rng.geometric(1 / 25, count) + 2
    words = (_VOCABULARY * rng.random(int(lengths.sum())) ** 3).astype(int)
    parts = np.split(words, np.cumsum(lengths)[:-1])
    texts = [" ".join(f"word{word}" for word in part) for part in parts]
    for copy in range(0, count, 5):
        texts[copy] = f"{texts[rng.integers(count)]} again"
    doubts: list[list[float]] = rng.random((count, 7)).tolist()
    return [
        Pending(f"r{i}", f"g{seed}-{i // 10}", texts[i], _statistics(int(lengths[i]), doubts[i]), vectors[i])
        for i in range(count)
    ]


def _statistics(words: int, doubts: list[float]) -> Statistics:
    *measures, outside, inside = doubts
    given: Any = dict(
        zip(("least_confidence", "margin", "token_entropy", "mnlp", "expected_errors"), measures, strict=True)
    )
    return Statistics(words, **given, bald=measures[0], label_doubt={"": words * outside, "disease": inside})


if __name__ == "__main__":
    main()
