"""Configuring, judging, choosing, reporting need no torch and no datasets: a round with nothing new ends in seconds."""

import subprocess
import sys

MODULES = (
    "spanloop.evaluation.gate, spanloop.evaluation, spanloop.selection, "
    "spanloop.annotations.acceptance, spanloop.reports.history"
)
HEAVY = {"torch", "transformers", "datasets", "evaluate", "seqeval", "sklearn", "pandas", "prefect", "argilla"}


def test_nothing_heavy_is_imported():
    code = f"import sys, spanloop.config, {MODULES}; spanloop.config.LoopConfig(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stdout.split())
