"""Memory of scoring a large pool: `python -m benchmarks.memory [--quick] --out FILE.json`.

A million short records run through a tiny model; the resident memory is noted on the way. It has to be flat: what is
read, tokenized and scored at a time is bounded, whatever the size of the pool.
"""

import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from benchmarks.models import tiny
from benchmarks.options import make_parser
from benchmarks.report import table, write_report
from spanloop.config import ScoringConfig
from spanloop.scoring import Scorer

_POINTS = 20


def main() -> None:
    """Run the benchmark from the command line."""
    parser = make_parser("memory", __doc__, "100,000 records")
    parser.add_argument("--records", type=int, default=1_000_000)
    options = parser.parse_args()
    print(table(["records", "seconds", "rss_mb"], []), flush=True)
    figures = measure(100_000 if options.quick else options.records)
    write_report(options.out, figures)
    print({name: figures[name] for name in ("records", "records_per_second", "growth_mb")})


def measure(records: int) -> dict[str, Any]:
    """Score records and note the memory at twenty points.

    Args:
        records: How many.

    Returns:
        The figures of the report; `growth_mb` is the last point's memory over that of the second, when every buffer
        has had its largest batch.
    """
    process, course = psutil.Process(), []
    with tempfile.TemporaryDirectory() as scratch:
        model = tiny(Path(scratch), (text for _, text in short_texts(2000)))
        scorer, start = Scorer.load(model, ScoringConfig()), time.perf_counter()
        for done, _ in enumerate(scorer.score(short_texts(records)), start=1):
            if done % max(records // _POINTS, 1) == 0:
                course.append([done, time.perf_counter() - start, process.memory_info().rss / 2**20])
                print("| {} | {:.1f} | {:.1f} |".format(*course[-1]), flush=True)
    return {
        "records": records,
        "records_per_second": records / course[-1][1],
        "growth_mb": course[-1][2] - course[min(1, len(course) - 1)][2],
        "course": course,
    }


def short_texts(count: int) -> Iterator[tuple[str, str]]:
    """Records of 3 to 15 made-up words, never two alike."""
    rng = random.Random(0)
    syllables = [a + b for a in "bdfgklmnprst" for b in "aeiou"]
    for i in range(count):
        words = ["".join(rng.choices(syllables, k=rng.randint(1, 3))) for _ in range(rng.randint(2, 14))]
        yield str(i), f"{' '.join(words)} {i}."


if __name__ == "__main__":
    main()
