"""Checks of `spanloop doctor` that need no servers, and that each stands for itself."""

import os
import re
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from spanloop.doctor import CHECKS, Diagnosis, SetUp, examine
from spanloop.doctor.health_check import Finding, HealthCheck, note
from spanloop.errors import ArgillaUnreachable, ConfigError
from spanloop.local_argilla.state import find_server, running_state, write_state
from spanloop.records import ScoredSpan, Statistics
from spanloop.rounds.scorebook import Score, ScoreBook
from spanloop.rounds.vectorbook import VectorBook
from spanloop.settings import load_what_fits
from spanloop.store import Store
from spanloop.training.checkpoint import read_checkpoint


def set_up(folder: Path, text: str = "store: store\n", **environ: str) -> SetUp:
    """A set-up with a configuration, and nothing that answers."""
    (folder / "spanloop.yaml").write_text(text)

    def unreachable(_: object) -> Any:
        raise ArgillaUnreachable("nobody there")

    variables = {"SPANLOOP_HOME": str(folder / "home"), **environ}
    return SetUp(folder / "spanloop.yaml", variables, unreachable, lambda: (None, None))


def publish_model(store: Store) -> None:
    def build(folder: Path) -> None:
        (folder / "weights").write_text("w")

    store.publish("models", "m0001-aa", build)


def look(about: SetUp, *names: str, repair: bool = False) -> dict[str, Diagnosis]:
    """What becomes of some checks, by their names."""
    return {x.name: x for x in examine(about, [c for c in CHECKS if c.name in names], repair=repair)}


def said(diagnosis: Diagnosis) -> list[str]:
    """What is wrong."""
    return [finding.said for finding in diagnosis.findings if finding.wrong]


def test_names_are_unique_and_what_a_check_needs_comes_before_it() -> None:
    known: list[str] = []
    for check in CHECKS:
        assert check.name not in known
        assert set(check.needs) <= set(known)
        known.append(check.name)


def test_a_check_that_breaks_is_one_line_and_hides_no_other(tmp_path: Path) -> None:
    def breaks(_: SetUp) -> Iterator[Finding]:
        yield Finding("the first thing")
        raise RuntimeError("several\nlines")

    def is_well(_: SetUp) -> Iterator[Finding]:
        yield note("good to know")

    checks = [
        HealthCheck("broken", breaks),
        HealthCheck("other", is_well),
        HealthCheck("on it", is_well, None, ("broken",)),
    ]
    checks.append(HealthCheck("on that", is_well, None, ("on it",)))
    broken, other, on_it, on_that = examine(set_up(tmp_path), checks, repair=True)
    assert said(broken) == ["the first thing", "cannot be looked at (RuntimeError: several)"]
    assert other.findings == (note("good to know"),)
    assert (on_it.waits_for, on_that.waits_for) == ("broken", "broken")
    assert not on_it.ill


def test_a_repair_that_fails_is_told(tmp_path: Path) -> None:
    def ill(_: SetUp) -> Iterator[Finding]:
        yield Finding("ill")

    def fails(_: SetUp) -> Iterator[str]:
        yield "did a part"
        raise PermissionError(13, "Permission denied", "/store")

    (found,) = examine(set_up(tmp_path), [HealthCheck("a", ill, fails)], repair=True)
    assert found.repaired == ("did a part",)
    assert said(found) == ["ill", "cannot be repaired: /store: Permission denied; check its permissions"]


def test_every_wrong_setting_has_its_line_and_the_rest_is_looked_at(tmp_path: Path) -> None:
    text = "store: store\ntraining: {seeed: 3, stride: -1}\ntask: {labels: [a, a]}\nretentoin: {}\n"
    found = look(set_up(tmp_path, text), "configuration", "settings", "store")
    lines = "\n".join(said(found["settings"]))
    assert said(found["configuration"]) == []
    assert "training.seeed = 3: is not a setting" in lines
    assert "training.stride = -1: Input should be greater" in lines
    assert "labels: 'a' stands twice" in lines
    assert "retentoin: is not a setting" in lines
    assert found["store"].findings[0].said.endswith("store is not there yet; the first round makes it")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("store: [", r"is not valid YAML at line"),
        ("- a\n", r"holds list, not sections"),
        ("store: ''\n", r"store = '': String should have at least 1 character"),
        ("argilla: {api_url: here}\n", r"argilla.api_url = 'here': String should match pattern"),
        (
            "selection: {strategy: bald}\n",
            r"selection.strategy bald needs scoring.mc_dropout_passes",
        ),
    ],
)
def test_without_a_configuration_nothing_of_it_is_looked_at(tmp_path: Path, text: str, line: str) -> None:
    found = look(set_up(tmp_path, text), "configuration", "settings", "store", "artifacts", "home")
    assert line in said(found["configuration"])[0]
    assert {name for name, x in found.items() if x.waits_for == "configuration"} == {"settings", "store", "artifacts"}
    assert said(found["home"]) == []


def test_what_fits_of_a_configuration_is_read(tmp_path: Path) -> None:
    file = tmp_path / "spanloop.yaml"
    file.write_text("training: {seed: 7, stride: x}\n")
    config, problems = load_what_fits(file, {})
    assert config
    assert (config.training.seed, config.training.stride, len(problems)) == (7, 64, 1)
    with pytest.raises(ConfigError, match="does not exist"):
        load_what_fits(tmp_path / "other.yaml", {})


def test_variables_that_override_are_told_and_those_that_mean_nothing(tmp_path: Path) -> None:
    environ = {"SPANLOOP_TRAINING__SEED": "3", "SPANLOOP_TRAINNING__SEED": "3", "SPANLOOP_TRAINING_SEED": "3"}
    found = look(set_up(tmp_path, **environ, SPANLOOP_LONG="1", SPANLOOP_ARGILLA_PORT="1"), "variables")["variables"]
    assert found.findings[0] == note("override the file: SPANLOOP_TRAINING__SEED")
    assert [line.partition(" ")[0] for line in said(found)] == ["SPANLOOP_TRAINING_SEED", "SPANLOOP_TRAINNING__SEED"]


def test_looking_makes_nothing_and_a_folder_of_others_is_left_alone(tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    about = set_up(tmp_path)
    others = {"argilla", "labels", "encoder", "ports", "settings"}
    names = [check.name for check in CHECKS if not others & {check.name, *check.needs}]
    assert not any(x.ill for x in look(about, *names, repair=True).values())
    assert sorted(tmp_path.rglob("*")) == [*before, tmp_path / "spanloop.yaml"]

    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "thesis.tex").write_text("mine")
    found = look(about, "configuration", "store", "artifacts", repair=True)
    assert "is no store and holds other things (thesis.tex)" in said(found["store"])[0]
    assert [x.name for x in (tmp_path / "store").iterdir()] == ["thesis.tex"]


def test_a_running_round_is_told_and_nothing_is_repaired_meanwhile(tmp_path: Path) -> None:
    about, book = set_up(tmp_path), tmp_path / "store" / "work" / "scores" / "m0001-aa-bb.jsonl"
    about.store.work("scores")
    book.write_bytes(b"half")
    with about.store.lock("the nightly round"):
        found = look(about, "configuration", "store", "locks", "scores", repair=True)
    assert found["locks"].findings[0].said.startswith("'the nightly round' (process ")
    assert not found["locks"].ill
    assert f"cannot be repaired: 'the nightly round' (process {os.getpid()} on" in said(found["scores"])[1]
    assert book.read_bytes() == b"half"


def test_good_lines_of_a_score_book_stay(tmp_path: Path) -> None:
    about = set_up(tmp_path)
    path = about.store.work("scores") / "m0001-aa-bb.jsonl"
    score = Score((ScoredSpan(0, 3, "person", 0.5),), Statistics(3, 0.1, 0.2, 0.2, 0.05, 0.3))
    ScoreBook(path).add([("r1", "Ada", score), ("r2", "Bob", score)])
    path.write_bytes(b"\x00\xff\n" + path.read_bytes() + b'{"id"')
    found = look(about, "configuration", "store", "scores", repair=True)["scores"]
    assert (said(found), found.repaired) == ([], (f"dropped 2 lines of {path}",))
    book = ScoreBook(path)
    assert (book.get("r1", "Ada"), book.get("r2", "Bob"), len(book)) == (score, score, 2)


def test_good_embeddings_stay(tmp_path: Path) -> None:
    about = set_up(tmp_path)
    path = about.store.work("scores") / "embeddings-0123abcd.f16"
    VectorBook(path).add([("Ada", np.ones(384, np.float16)), ("Bob", np.ones(384, np.float16))])
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content + b"half a row")
    found = look(about, "configuration", "store", "scores", repair=True)["scores"]
    assert (said(found), found.repaired) == ([], (f"dropped 2 rows of {path}",))
    assert VectorBook(path).get("Ada") is None
    assert VectorBook(path).get("Bob") is not None


def test_a_flipped_bit_of_a_checkpoint_is_seen_and_the_file_removed(tmp_path: Path) -> None:
    about = set_up(tmp_path)
    path = about.store.work("train-aa") / "checkpoint" / "state.pt"
    path.parent.mkdir()
    torch.save({"job": "x", "state": {}, "model": {"w": torch.ones(1000)}}, path)
    assert read_checkpoint(path)["job"] == "x"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    found = look(about, "configuration", "store", "checkpoints")["checkpoints"]
    assert "does not fit its checksum); that training begins anew" in said(found)[0]
    assert not said(look(about, "configuration", "store", "checkpoints", repair=True)["checkpoints"])
    assert not path.exists()


def test_a_round_whose_number_is_taken_by_no_round_is_none_of_our_business(tmp_path: Path) -> None:
    about = set_up(tmp_path)
    publish_model(about.store)
    (about.store.rounds / "r0002.bak").mkdir(parents=True)
    found = look(about, "configuration", "store", "artifacts", "rounds", "leftovers", repair=True)
    assert not any(x.ill or x.repaired for x in found.values())
    assert (about.store.rounds / "r0002.bak").exists()


def test_a_store_without_its_marker_is_marked_again(tmp_path: Path) -> None:
    about = set_up(tmp_path)
    publish_model(about.store)
    marker = about.store.root / "spanloop-store.json"
    marker.unlink()
    found = look(about, "configuration", "store")["store"]
    assert said(found) == [f"{marker} is missing; the next round, or --repair, makes it anew"]
    assert not said(look(about, "configuration", "store", repair=True)["store"])
    assert marker.is_file()


def test_too_little_room_is_told_before_a_round_finds_out(tmp_path: Path) -> None:
    encoder = tmp_path / "encoder"
    encoder.mkdir()
    with (encoder / "model.safetensors").open("wb") as file:
        file.truncate(10**13)  # a file with a hole: ten terabytes that take no room
    found = look(set_up(tmp_path, "training: {model_name_or_path: encoder}\n"), "configuration", "disk")["disk"]
    assert "GB left, a round may need 50000.2 GB; free some" in said(found)[0]


@pytest.fixture
def odd_server() -> Iterator[str]:
    """A server that is no Argilla, and whose clock is an hour behind."""

    class Odd(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response_only(200)
            self.send_header("Date", formatdate(time.time() - 3600, usegmt=True))
            self.end_headers()
            self.wfile.write(b"[]")

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Odd)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_clock_that_is_off_and_a_port_that_is_anothers(tmp_path: Path, odd_server: str) -> None:
    about = set_up(tmp_path, f"argilla: {{api_url: {odd_server!r}}}\n")
    found = look(about, "configuration", "argilla", "clock", "ports")
    assert re.search(rf"clock is 36\d\d s ahead of that of Argilla at {odd_server}", said(found["clock"])[0])
    port = odd_server.rpartition(":")[2]
    assert f"port {port}, where argilla.api_url has Argilla, is taken by another program" in said(found["ports"])[0]
    assert said(found["argilla"]) == [f"{odd_server} answers, but not as Argilla; check argilla.api_url"]


def test_a_port_that_only_listens(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        about = set_up(tmp_path, f"argilla: {{api_url: 'http://127.0.0.1:{port}'}}\n")
        assert f"port {port}, where argilla.api_url has" in said(look(about, "configuration", "ports")["ports"])[0]


def test_the_local_argilla_files(tmp_path: Path) -> None:
    folder = tmp_path / "home" / "argilla"
    (folder / "data").mkdir(parents=True)
    (folder / "credentials.json").write_text("{half")
    (folder / "server.json").write_text('{"pid": 1, "url": "http://127.0.0.1:6900", "since": ""}')
    names = [check.name for check in CHECKS if check.name.startswith("local Argilla's")]
    found = look(set_up(tmp_path), *names, repair=True)
    assert "credentials.json is damaged; put it back from a copy" in said(found["local Argilla's credentials"])[0]
    process = found["local Argilla's process"]
    assert (said(process), process.repaired[0]) == (
        [],
        f"removed {folder / 'server.json'}; 'spanloop argilla start' starts Argilla",
    )


def test_a_damaged_database_is_found_by_sqlite_itself(tmp_path: Path) -> None:
    database = tmp_path / "home" / "argilla" / "data" / "argilla.db"
    database.parent.mkdir(parents=True)
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE records (id INTEGER PRIMARY KEY, text TEXT)")
        connection.executemany("INSERT INTO records (text) VALUES (?)", [("x" * 500,)] * 200)
    connection.close()
    about = set_up(tmp_path)
    assert not said(look(about, "local Argilla's database")["local Argilla's database"])
    content = bytearray(database.read_bytes())
    content[8192:12288] = bytes(4096)
    database.write_bytes(content)
    (line,) = said(look(about, "local Argilla's database")["local Argilla's database"])
    assert f"{database} is damaged (" in line
    assert "'spanloop restore' a backup" in line
    assert "\n" not in line


def test_nothing_heavy_is_imported_to_look_at_an_empty_store(tmp_path: Path) -> None:
    names = "configuration settings variables home store locks champion artifacts model rounds groups pins leftovers "
    names += "scores notes checkpoints disk argilla key"
    set_up(tmp_path, "store: store\nargilla: {api_url: 'http://127.0.0.1:9'}\n")
    code = (
        "import sys; from pathlib import Path; from spanloop.doctor import CHECKS, SetUp, examine; "
        "about = SetUp(Path('spanloop.yaml'), {}, None, None); "
        f"list(examine(about, [c for c in CHECKS if c.name in {names.split()}], repair=False)); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert not {"torch", "transformers", "datasets", "pandas", "prefect", "argilla"} & set(done.stdout.split())
    assert not Store(tmp_path / "store").root.exists()


def test_labels_of_the_model_in_service_are_compared_with_the_projects(tmp_path: Path) -> None:
    about = set_up(tmp_path, "store: store\ntask: {labels: [human, planet], mapping: {person: human}}\n")

    def build(folder: Path) -> None:
        (folder / "spanloop.json").write_text('{"labels": ["person", "place"], "max_length": 32, "stride": 8}')

    about.store.publish("models", "m0001-aa", build)
    about.store.set_champion("m0001-aa")
    (check,) = (x for x in CHECKS if x.name == "labels of the model")
    new, gone = check.look(about)
    assert new == note("m0001-aa does not know planet; it suggests none until a new model serves")
    assert gone == note("m0001-aa finds 'place' too, which is left out; task.mapping: {place: LABEL} uses it")


def test_no_secret_is_shown(tmp_path: Path) -> None:
    found = look(set_up(tmp_path, "argilla: {api_key: my-secret}\n"), "configuration")["configuration"]
    assert said(found) == [f"{tmp_path / 'spanloop.yaml'}: argilla.api_key: is not a setting; check the spelling"]


def test_the_local_argilla_is_found_by_its_process(tmp_path: Path) -> None:
    home, program = tmp_path / "home", tmp_path / "program.py"
    (home / "argilla").mkdir(parents=True)
    program.write_text("import time; print('up', flush=True); time.sleep(60)")
    variables = {"ARGILLA_HOME_PATH": str(home / "argilla" / "data"), "SPANLOOP_ARGILLA_HOST": "0.0.0.0"}
    variables["SPANLOOP_ARGILLA_PORT"] = "6901"
    with subprocess.Popen([sys.executable, program], env=os.environ | variables, stdout=subprocess.PIPE) as running:
        try:
            assert running.stdout
            running.stdout.readline()
            found = find_server(home)
            assert found
            assert (found.pid, found.url) == (running.pid, "http://127.0.0.1:6901")
            assert running_state(home) is None
            write_state(home, found)
            assert running_state(home) == found
        finally:
            running.kill()
    assert find_server(home) is None
