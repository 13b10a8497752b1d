"""The benchmark of a bare GPU machine: small libraries alone, and the settings that a round has."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
ABSENT = ["pydantic", "datasets", "argilla", "prefect", "evaluate", "seqeval", "nervaluate"]
PARTS = ["score: ours, 16384", "score: where", "score: pipeline", "train: where, default", "train: Trainer, 8 texts"]
BARE = f"""
import runpy, sys
sys.modules.update(dict.fromkeys({ABSENT}))
sys.argv = ["gpu", *sys.argv[1:]]
runpy.run_module("benchmarks.gpu", run_name="__main__")
"""
SAME_SETTINGS = """
from benchmarks.plain_settings import PlainScoring, PlainTraining
from spanloop.config import ScoringConfig, TrainingConfig

for plain, ours in (PlainScoring(), ScoringConfig()), (PlainTraining(), TrainingConfig()):
    shown = {k: list(v) if isinstance(v, tuple) else v for k, v in plain.model_dump().items()}
    assert shown == ours.model_dump(), shown
"""


def python(*arguments):
    done = subprocess.run([sys.executable, *arguments], check=False, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_runs_where_only_small_libraries_are_installed(tmp_path):
    out = tmp_path / "gpu.json"
    shown = python("-c", BARE, "--tiny", "--only", *PARTS, "--out", str(out))
    figures = json.loads(out.read_text())
    assert figures["left_out"] == []
    for family, packed in ("bert", True), ("deberta-v2", False):
        parts = figures["families"][family]
        assert not any("error" in parts[name] for name in parts if name != "weights"), parts
        assert parts["score: ours, 16384 tokens"]["packed"] == packed
        assert parts["train: where, default"]["packed"] == packed
        for name in "score: pipeline", "train: Trainer, 8 texts", "train: where, default", "score: ours, 16384 tokens":
            assert parts[name]["tokens_per_second"] > 0
            assert parts[name]["flops_share"] > 0
        assert {"decode", "launch", "wait for the device"} < set(parts["score: where"])
    assert "| bert, score: pipeline |" in shown


def test_its_settings_are_the_default_ones():
    python("-c", SAME_SETTINGS)
