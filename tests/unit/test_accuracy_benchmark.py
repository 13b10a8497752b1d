"""The accuracy benchmark: as many processes as one likes, stopped and begun again, give the same figures."""

import json
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import psutil
import pytest
from tiny_models import people_and_places, save_tiny_encoder

from benchmarks.reliability_picture import reliability_picture

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

    assert "Suggestions of models of 12 labels" in (tmp_path / "two.12.svg").read_text()

    kept = runs[1].stat().st_mtime_ns
    runs[0].unlink()
    assert accuracy(tmp_path / "two.json", *arguments, "--processes", "1") == two
    assert runs[1].stat().st_mtime_ns == kept

    refused = accuracy(tmp_path / "two.json", *arguments, "--test", "3")
    assert "holds results of other settings" in refused


def test_nothing_works_on_when_the_benchmark_is_killed():
    program = "import time\nfrom benchmarks.side_by_side import SideBySide\nlist(SideBySide(1).work(time.sleep, [600]))"
    killed = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT)
    deadline = time.monotonic() + 120
    parent = psutil.Process(killed.pid)
    while len(family := parent.children(recursive=True)) < 2:  # a worker, and a tracker of resources
        assert time.monotonic() < deadline
        time.sleep(0.1)
    time.sleep(5)  # until it sleeps
    killed.kill()
    killed.communicate()
    _, alive = psutil.wait_procs(family, timeout=30)
    assert not alive


def test_the_picture_has_the_share_of_all_seeds_where_their_scores_lie():
    people = [[(30, 0.42, 0.5), (60, 0.85, 0.9)], [(10, 0.46, 0.1)]]
    document = ET.fromstring(reliability_picture({"people": people, "nothing": [[], []]}, "50 labels"))
    texts = [node.text for node in document.iter("{http://www.w3.org/2000/svg}text")]
    assert {"50 labels", "people, 100 spans", "nothing, 0 spans", "as scored"} <= set(texts)

    low, high, *diagonal = document.iter("{http://www.w3.org/2000/svg}circle")
    assert low[0].text == "people: of 40 spans with a score of 0.43, 40 % are right (10 to 50 % by seed)"
    assert high[0].text == "people: of 60 spans with a score of 0.85, 90 % are right (90 to 90 % by seed)"
    assert float(high.get("r")) ** 2 / float(low.get("r")) ** 2 == pytest.approx(60 / 40, rel=0.01)
    (left, bottom), (right, top) = ([float(dot.get(axis)) for axis in ("cx", "cy")] for dot in diagonal)
    assert float(low.get("cx")) == pytest.approx(left + 0.43 * (right - left), abs=0.1)
    assert float(low.get("cy")) == pytest.approx(bottom + 0.4 * (top - bottom), abs=0.1)
