"""The accuracy benchmark: as many processes as one likes, stopped and begun again, give the same figures."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_models import people_and_places, save_tiny_encoder

ROOT = Path(__file__).parents[2]


@pytest.fixture
def arguments(tmp_path):
    folder = tmp_path / "data" / "people"
    folder.mkdir(parents=True)
    for name, size in ("train", 12), ("dev", 1), ("test", 5):
        rows = [
            {"id": e.id, "text": e.text, "spans": [{"start": s.start, "end": s.end, "label": s.label} for s in e.spans]}
            for e in people_and_places(size)
        ]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    encoder = save_tiny_encoder(tmp_path / "encoder", positions=300)
    given = ["--data", tmp_path / "data", "--model", encoder, "--corpora", "people", "--sizes", "12", "--seeds", "0"]
    return [*map(str, given), "--rates", "1e-3"]


def accuracy(out, *arguments):
    command = [sys.executable, "-m", "benchmarks.accuracy", *arguments, "--out", str(out)]
    done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        return done.stderr
    figures = json.loads(out.read_text())
    del figures["machine"]
    return figures


def test_figures_depend_neither_on_processes_nor_on_a_stop_in_between(tmp_path, arguments):
    two = accuracy(tmp_path / "two.json", *arguments, "--processes", "2")
    assert set(two["f1"]["people"]["12"]) > {"ours", "every_span", "tutorial", "calibration_error"}
    runs = sorted((tmp_path / "two.runs" / "runs").iterdir())
    assert [run.name for run in runs] == ["people-12-0-ours.json", "people-12-0-tutorial-0.001.json"]

    kept = runs[1].stat().st_mtime_ns
    runs[0].unlink()
    assert accuracy(tmp_path / "two.json", *arguments, "--processes", "1") == two
    assert runs[1].stat().st_mtime_ns == kept

    refused = accuracy(tmp_path / "two.json", *arguments, "--test", "3")
    assert "holds results of other settings" in refused
