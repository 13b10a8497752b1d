"""`spanloop rehearse` on a tiny encoder: killed, interrupted, in one process or two, it ends in the same bytes."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import yaml
from tiny_models import people_and_places, save_tiny_encoder
from typer.testing import CliRunner

from spanloop.cli import app, register
from spanloop.config import LoopConfig
from spanloop.errors import ConfigError, DataError, SpanloopError
from spanloop.rehearsal.contenders import read_contenders

STEPS = 5  # the whole pool, and two steps of two strategies
SAME = ("results.csv", "summary.json", "curves.svg")
HEED = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # as not in a shell's background
PROGRAM = f"{HEED}; from spanloop.cli import main; main()"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with annotated text and a configuration in which a training takes a moment."""
    folder = tmp_path_factory.mktemp("rehearsal")
    save_tiny_encoder(folder / "encoder")
    write_records(folder / "data.jsonl", people_and_places(170))
    training = {"model_name_or_path": "encoder", "folds": 0, "min_steps": 8, "num_train_epochs": 1}
    (folder / "spanloop.yaml").write_text(yaml.safe_dump({"training": training}))
    return folder


def write_records(path, examples):
    rows = [
        {"id": e.id, "text": e.text, "spans": [{"start": s.start, "end": s.end, "label": s.label} for s in e.spans]}
        for e in examples
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def command(out, processes):
    flags = ["--strategies", "random,mnlp+cost=1", "--seeds", "1", "--steps", "2", "--processes", str(processes)]
    return [sys.executable, "-c", PROGRAM, "rehearse", "data.jsonl", "--out", out, *flags]


def start(place, out, processes):
    return subprocess.Popen(command(out, processes), cwd=place, stderr=subprocess.PIPE, stdout=subprocess.PIPE)


def wait_for(what, seconds=300):
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.02)


def finished(folder: Path) -> int:
    return len(list((folder / "steps").glob("[!.]*.json"))) if (folder / "steps").is_dir() else 0


def test_killed_interrupted_and_side_by_side_it_gives_the_same_results(place):
    broken, calm = place / "broken", place / "calm"

    killed = start(place, "broken", 2)
    wait_for(lambda: finished(broken) >= 1)
    family = psutil.Process(killed.pid).children(recursive=True)
    killed.kill()
    killed.communicate()
    assert len(family) >= 2
    wait_for(lambda: not any(lives(process) for process in family))  # nobody trains on for a dead parent
    done = finished(broken)
    assert done < STEPS

    shutil.rmtree(broken / "work", ignore_errors=True)
    interrupted = start(place, "broken", 1)
    wait_for((broken / "work").exists)
    interrupted.send_signal(signal.SIGINT)
    _, said = interrupted.communicate()
    assert interrupted.returncode == 130
    assert "stopped; what is finished lies in" in said.decode()
    assert "spanloop rehearse data.jsonl --out broken" in said.decode()
    assert "Traceback" not in said.decode()

    (broken / "steps" / "mnlp_cost_1.4665cd-0-0.json").write_text("{")  # made again, or made in its turn
    subprocess.run(command("broken", 1), cwd=place, check=True, capture_output=True)
    shown = subprocess.run(command("calm", 2), cwd=place, check=True, capture_output=True, text=True).stdout
    assert finished(broken) == finished(calm) == STEPS
    for name in SAME:
        assert (broken / name).read_bytes() == (calm / name).read_bytes()
    assert not (broken / "work").exists()
    assert "set selection.strategy: " in shown

    budgets = json.loads((calm / "summary.json").read_text())["budgets"]
    rows = (calm / "results.csv").read_text().splitlines()
    words = {tuple(row.split(",")[:3]): int(row.split(",")[4]) for row in rows[1:]}
    for strategy in ("random", "mnlp+cost=1"):
        for step, budget in enumerate(budgets):
            assert budget <= words[strategy, "0", str(step)] < budget + 10  # up to a record more


def lives(process):
    with contextlib.suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def rehearse(place, *words):
    """Run the command in this process, up to where trainings would begin; give what it refuses."""
    register()
    with contextlib.chdir(place):
        done = CliRunner().invoke(app, ["rehearse", *words])
    return done.exception


@pytest.fixture
def begun(place, monkeypatch):
    """A rehearsal of which only the folder is made."""
    from spanloop.cli import rehearse as module

    monkeypatch.setattr(module, "_play", lambda rehearsal, processes: None)
    assert rehearse(place, "data.jsonl", "--out", "begun") is None
    return place


@pytest.mark.parametrize(
    ("words", "kind", "message"),
    [
        (["plain.jsonl"], DataError, "plain.jsonl has no annotated span"),
        (["few.jsonl"], DataError, r"few.jsonl: \d+ annotated records to choose from .* annotate more"),
        (["away.jsonl"], DataError, "away.jsonl does not exist"),
        (["data.jsonl", "--strategies", "mnlq"], ConfigError, "there is no strategy 'mnlq'; there are random"),
        (["data.jsonl", "--strategies", "mnlp+costs=1"], ConfigError, "there is no step 'costs'; there are cost"),
        (["data.jsonl", "--strategies", "mnlp+cost=2"], ConfigError, "the strength of cost is '2'; .* from 0 to 1"),
        (["data.jsonl", "--strategies", ","], ConfigError, "--strategies names none"),
        (["data.jsonl", "--strategies", "bald"], ConfigError, "bald needs scoring.mc_dropout_passes, which is 0"),
        (["data.jsonl", "--out", "."], ConfigError, "holds other things; name a folder of its own with --out"),
        (["data.jsonl", "--out", "begun", "--quick"], ConfigError, "begun began with steps at .* words; set it back"),
        (["data.jsonl", "--out", "begun", "--held-out", "data.jsonl"], ConfigError, "began with other records"),
    ],
)
def test_what_cannot_be_rehearsed_is_refused_in_a_line(begun, words, kind, message):
    write_records(begun / "few.jsonl", people_and_places(40))
    (begun / "plain.jsonl").write_text('{"text": "nobody", "spans": []}\n')
    refused = rehearse(begun, *words)
    assert isinstance(refused, kind), refused
    with pytest.raises(SpanloopError, match=message):
        raise refused
    assert "\n" not in str(refused)


def test_what_a_process_is_refused_ends_all_in_a_line(place):
    (place / "mine.py").write_text("def wrong(pool, rng):\n    return [1.0]\n")
    words = ["--strategies", "mine:wrong", "--seeds", "1", "--processes", "1", "--out", "refused"]
    run = [sys.executable, "-c", PROGRAM, "rehearse", "data.jsonl", *words]
    done = subprocess.run(run, cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("spanloop: selection.strategy: wrong returned a list for ")
    assert done.stderr.count("\n") == 1


def test_another_configuration_is_refused_and_more_strategies_are_not(begun, monkeypatch):
    assert rehearse(begun, "data.jsonl", "--out", "begun", "--strategies", "random,margin", "--seeds", "7") is None
    monkeypatch.setenv("SPANLOOP_TRAINING__MIN_STEPS", "9")
    refused = rehearse(begun, "data.jsonl", "--out", "begun")
    assert "begun began with training.min_steps = 8, now 9; set it back" in str(refused)


def test_a_strategy_of_ones_own_is_found_by_its_file(tmp_path):
    (tmp_path / "mine.py").write_text("def longest(pool, rng):\n    return [len(r.text) for r in pool.records]\n")
    (mine,) = read_contenders("mine:longest+cost=0.5+cold_start=random", LoopConfig(), tmp_path)
    selection = mine.configured(LoopConfig(), 0).selection
    assert selection.strategy == f"{tmp_path / 'mine.py'}:longest"
    assert (selection.steps, selection.cold_start) == ({"cost": 0.5}, "random")
    assert mine.needs_scores


def test_random_order_is_the_yardstick_whatever_steps_are_configured():
    config = LoopConfig.model_validate({"selection": {"steps": {"duplicates": 0.9}, "seed": 3}})
    random, ours = read_contenders("random,mnlp+cost=1", config, Path())
    assert random.configured(config, 2).selection.steps == {}
    found = ours.configured(config, 2)
    assert found.selection.steps == {"duplicates": 0.9, "cost": 1.0}
    assert (found.selection.seed, found.splits.seed, found.training.seed) == (5, 2, 2)


def test_only_who_needs_passes_with_dropout_has_them():
    config = LoopConfig.model_validate({"scoring": {"mc_dropout_passes": 4}})
    passes = [
        one.configured(config, 0).scoring.mc_dropout_passes for one in read_contenders("mnlp,bald", config, Path())
    ]
    assert passes == [0, 4]


def test_one_thread_a_process_leaves_the_environment_as_it_was():
    from spanloop.rehearsal.crew import one_thread

    before = dict(os.environ)
    with one_thread():
        assert os.environ["OMP_NUM_THREADS"] == os.environ["RAYON_NUM_THREADS"] == "1"
    assert dict(os.environ) == before
