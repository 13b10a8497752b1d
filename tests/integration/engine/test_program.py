"""The program that serves Argilla, run as `spanloop argilla start` runs it: by path, with the server's own Python."""

import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from spanloop.local_argilla.environment import ensure_environment
from spanloop.local_argilla.process import PROGRAM
from spanloop.processes.ports import free_port

SECRETS = {"password": "first-password", "api_key": "first-api-key", "auth_secret": "s" * 32}


class Launched:
    """A server in a folder of its own."""

    def __init__(self, python: Path, folder: Path) -> None:
        self.command = [str(python), str(PROGRAM)]
        self.folder, self.data, self.port = folder, folder / "data", free_port()
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}/api/v1", timeout=30)
        self.give(**SECRETS)

    def give(self, **secrets: str) -> None:
        """Write the credentials and use them from now on."""
        (self.folder / "credentials.json").write_text(json.dumps({"username": "owner", **secrets}))
        self.http.headers["X-Argilla-Api-Key"] = secrets["api_key"]

    def environ(self, **changed: str) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("ARGILLA_", "SPANLOOP_"))}
        own = {
            "ARGILLA_HOME_PATH": str(self.data),
            "SPANLOOP_ARGILLA_CREDENTIALS": str(self.folder / "credentials.json"),
            "SPANLOOP_ARGILLA_PORT": str(self.port),
        }
        return kept | own | changed

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, env=self.environ(), stdout=log, stderr=log, cwd=self.folder)
        wait_for(self.is_ready)

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def is_ready(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            return self.http.get("/status").is_success
        except httpx.TransportError:
            return False

    def ask(self, method: str, path: str, **body: Any) -> Any:
        answer = self.http.request(method, path, json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def dataset(self, name: str, *texts: str) -> str:
        """Make a data set with records: its path."""
        workspace = self.ask("POST", "/workspaces", name=name)["id"]
        at = f"/datasets/{self.ask('POST', '/datasets', name=name, workspace_id=workspace)['id']}"
        self.ask("POST", f"{at}/fields", name="text", title="text", required=True, settings={"type": "text"})
        span = {"type": "span", "field": "text", "options": [{"value": "LOC", "text": "LOC"}]}
        self.ask("POST", f"{at}/questions", name="entities", title="entities", required=True, settings=span)
        self.ask("PUT", f"{at}/publish")
        self.ask("POST", f"{at}/records/bulk", items=[{"fields": {"text": text}} for text in texts])
        return at

    def records(self, at: str, **query: Any) -> list[dict]:
        return [item["record"] for item in self.ask("POST", f"{at}/records/search", **query)["items"]]

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)

    def refused(self, **changed: str) -> str:
        """Start in vain: the one line that it says."""
        environ = self.environ(**changed)
        run = subprocess.run(self.command, check=False, env=environ, capture_output=True, text=True, timeout=60)
        assert run.returncode == 2, run.stderr
        (line,) = run.stderr.splitlines()
        return line


def wait_for(condition: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def python(server_environ) -> Path:
    return ensure_environment(Path(server_environ["SPANLOOP_SERVER_ENV"]))


@pytest.fixture(scope="module")
def server(python, tmp_path_factory):
    launched = Launched(python, tmp_path_factory.mktemp("launched"))
    launched.start()
    yield launched
    if launched.process.poll() is None:
        launched.end(signal.SIGKILL)


def assert_full_text_is_in_step(database: Path) -> None:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        texts = connection.execute("SELECT record_id, text FROM spanloop_texts").fetchall()
        records = connection.execute("SELECT id, fields FROM records").fetchall()
        assert sorted(texts) == sorted((id, json.loads(fields)["text"]) for id, fields in records)
        connection.execute("INSERT INTO spanloop_index (spanloop_index, rank) VALUES ('integrity-check', 1)")


def test_it_keeps_its_secrets_and_its_files(server):
    told = Path(f"/proc/{server.process.pid}/cmdline").read_text() + server.log.read_text()
    assert not [name for name, secret in SECRETS.items() if secret in told]
    files = [path for path in server.data.iterdir() if path.is_file()]
    assert {"argilla.db"} <= {path.name for path in files}
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)


def test_a_folder_is_served_once(server):
    assert "another server uses" in server.refused(SPANLOOP_ARGILLA_PORT=str(free_port()))


def test_webhooks_are_called_and_may_call_back(server):
    called: list[tuple] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            called.append((body["type"], "webhook-signature" in self.headers, server.ask("GET", "/me")["username"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as receiver:
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{receiver.server_port}/"
        hook = server.ask("POST", "/webhooks", url=url, events=["record.created"], description="x")
        server.dataset("webhooks", "one", "two", "three")
        wait_for(lambda: len(called) == 3)
        server.ask("DELETE", f"/webhooks/{hook['id']}")
        receiver.shutdown()
    assert called == [("record.created", True, "owner")] * 3


def test_a_changed_distribution_completes_records_in_the_background(server):
    at = server.dataset("distribution", "one")
    server.ask("PATCH", at, distribution={"strategy": "overlap", "min_submitted": 2})
    (record,) = server.records(at)
    values = {"entities": {"value": []}}
    server.ask("POST", f"/records/{record['id']}/responses", status="submitted", values=values)
    assert server.records(at)[0]["status"] == "pending"
    server.ask("PATCH", at, distribution={"strategy": "overlap", "min_submitted": 1})
    wait_for(lambda: server.records(at)[0]["status"] == "completed")


def test_killed_it_goes_on_where_it_was_and_stopped_it_leaves_nothing(server):
    at = server.dataset("killed", "alpha beta")
    form = {"username": "owner", "password": SECRETS["password"]}
    token = server.http.post("/token", data=form).json()["access_token"]
    server.end(signal.SIGKILL)
    server.give(**SECRETS | {"api_key": "second-api-key"})
    server.start()
    login = {"Authorization": f"Bearer {token}", "X-Argilla-Api-Key": ""}
    assert server.http.get("/me", headers=login).json()["username"] == "owner", "a login is still good"
    assert server.http.get("/me", headers={"X-Argilla-Api-Key": "first-api-key"}).status_code == 401
    assert len(list((server.data / "scratch").iterdir())) == 1, "one copy of the web UI, not two"
    assert len(server.records(at, query={"text": {"q": "alpha"}})) == 1
    server.ask("DELETE", server.dataset("removed", "gamma"))
    assert server.end(signal.SIGTERM) == 0
    assert_full_text_is_in_step(server.data / "argilla.db")
    assert {path.name for path in server.data.iterdir()} == {"argilla.db", "server.lock", "server_id.dat"}


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"ARGILLA_HOME_PATH": ""}, "ARGILLA_HOME_PATH is not set"),
        ({"SPANLOOP_ARGILLA_PORT": "http"}, "SPANLOOP_ARGILLA_PORT=http is not a port"),
        ({"SPANLOOP_ARGILLA_CREDENTIALS": "/nowhere.json"}, "the credentials /nowhere.json cannot be read"),
        ({"ARGILLA_HOME_PATH": "/proc/nothing"}, "the data folder /proc/nothing cannot be used"),
    ],
)
def test_a_start_in_vain_is_one_line(python, tmp_path, changed, says):
    assert says in Launched(python, tmp_path).refused(**changed)


def test_a_damaged_database_is_one_line_and_stays_as_it_is(python, tmp_path):
    launched = Launched(python, tmp_path)
    launched.data.mkdir()
    (launched.data / "argilla.db").write_bytes(b"no database" * 1000)
    assert "argilla.db cannot be used: file is not a database" in launched.refused()
    assert (launched.data / "argilla.db").read_bytes() == b"no database" * 1000


def test_a_taken_port_is_one_line(python, tmp_path):
    launched = Launched(python, tmp_path)
    with socket.create_server(("127.0.0.1", launched.port)):
        assert f"127.0.0.1:{launched.port} cannot be bound" in launched.refused()
