"""Publishing on the Hub, against a server that speaks as much of the Hub's protocol as that takes."""

import base64
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote

import pyarrow.parquet as pq
import pytest

from spanloop.config import SplitConfig
from spanloop.records import Annotation, Span
from spanloop.snapshot import build
from spanloop.store import Store

TOKEN = "hf_" + "x" * 34


class Hub(ThreadingHTTPServer):
    """One dataset repository: its files, its tags, and whether it is private."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Requests)
        self.files: dict[str, bytes] = {}
        self.blobs: dict[str, bytes] = {}
        self.tags: dict[str, str] = {}
        self.commits: list[str] = []
        self.private: bool | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Requests(BaseHTTPRequestHandler):
    server: Hub

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self, status: int, body: object = None, content: bytes | None = None) -> None:
        content = json.dumps(body).encode() if content is None else content
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", '"0"')
        if status == 404:
            self.send_header("X-Error-Code", "EntryNotFound")
        self.send_header("X-Repo-Commit", self._head())
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _head(self) -> str:
        return f"{len(self.server.commits):040x}"

    def do_GET(self) -> None:
        hub, path = self.server, unquote(self.path)
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self._answer(401, {"error": "Invalid username or password."})
        elif path.endswith("/refs"):
            tags = [{"name": n, "ref": f"refs/tags/{n}", "targetCommit": c} for n, c in hub.tags.items()]
            self._answer(200, {"branches": [], "converts": [], "tags": tags})
        elif file := re.search(r"/resolve/[^/]+/(.+)$", path):
            content = hub.files.get(file[1])
            self._answer(200 if content is not None else 404, {"error": "Entry not found"}, content)
        elif tree := re.search(r"/tree/[^/?]+/?([^?]*)", path):
            inside = {name: content for name, content in hub.files.items() if name.startswith(tree[1])}
            entries = [{"type": "file", "path": n, "size": len(c), "oid": "0"} for n, c in inside.items()]
            self._answer(200 if entries else 404, entries or {"error": "Entry not found"})
        else:
            siblings = [{"rfilename": name} for name in hub.files]
            self._answer(200, {"id": "team/patents", "sha": self._head(), "siblings": siblings, "tags": []})

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_PUT(self) -> None:
        self.server.blobs[self.path.rsplit("/")[-1]] = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(200)

    def do_POST(self) -> None:
        hub, body = self.server, self.rfile.read(int(self.headers["Content-Length"] or 0))
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self._answer(401, {"error": "Invalid username or password."})
        elif self.path == "/api/repos/create":
            hub.private = json.loads(body).get("private") or json.loads(body).get("visibility") == "private"
            self._answer(200, {"url": f"{hub.url}/datasets/team/patents"})
        elif self.path == "/api/validate-yaml":
            self._answer(200, {"errors": [], "warnings": []})
        elif "/preupload/" in self.path:
            files = [
                {**file, "uploadMode": _mode(file["path"]), "shouldIgnore": False} for file in json.loads(body)["files"]
            ]
            self._answer(200, {"files": files})
        elif self.path.endswith("/info/lfs/objects/batch"):
            objects = [
                {**thing, "actions": {"upload": {"href": f"{hub.url}/blobs/{thing['oid']}"}}}
                for thing in json.loads(body)["objects"]
            ]
            self._answer(200, {"transfer": "basic", "objects": objects})
        elif "/commit/" in self.path:
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    hub.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
                elif line["key"] == "lfsFile":
                    hub.files[line["value"]["path"]] = hub.blobs[line["value"]["oid"]]
                elif line["key"] == "header":
                    hub.commits.append(line["value"]["summary"])
            self._answer(
                200,
                {"commitOid": self._head(), "commitUrl": f"{hub.url}/datasets/team/patents/commit/0", "success": True},
            )
        elif tag := re.search(r"/tag/(.+)$", self.path):
            hub.tags[json.loads(body)["tag"]] = tag[1]
            self._answer(200, {})
        else:
            self._answer(404, {"error": self.path})


def _mode(path: str) -> str:
    return "lfs" if path.endswith(".parquet") else "regular"


@pytest.fixture
def hub() -> Iterator[Hub]:
    server = Hub()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    rows = [Annotation(f"r{i}", f"Ada in Rome {i}", f"g{i}", (Span(7, 11, "LOC"),), ("ann",), None) for i in range(9)]
    return build(Store(tmp_path / "store"), rows, ["LOC"], SplitConfig(validation=0)).path


def push(snapshot: Path, endpoint: str, repo_id: str = "team/patents", token: str = TOKEN) -> str:
    """Push in a process of its own, because the client reads the address once, when it is imported."""
    code = (
        "import sys\nfrom pathlib import Path\nfrom spanloop.errors import StoreError\n"
        "from spanloop.snapshot.hub import push_to_hub\n"
        "try:\n    print(push_to_hub(Path(sys.argv[1]), sys.argv[2]))\nexcept StoreError as error:\n    print(error)"
    )
    settings = {"HF_ENDPOINT": endpoint, "HF_TOKEN": token, "HF_HUB_OFFLINE": "0"}
    settings |= {"HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_XET": "1"}
    command = [sys.executable, "-c", code, str(snapshot), repo_id]
    environ = {**os.environ, **settings, "HF_HOME": str(snapshot.parent / "hf")}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_snapshot_is_pushed_once_and_tagged(hub: Hub, snapshot: Path) -> None:
    assert push(snapshot, hub.url) == "True"
    assert hub.private is True
    assert hub.tags == {snapshot.name: f"{len(hub.commits):040x}"}
    assert set(hub.commits) == {snapshot.name}
    assert hub.files["manifest.json"] == (snapshot / "manifest.json").read_bytes()
    readme = hub.files["README.md"].decode()
    assert f"# {snapshot.name}" in readme
    assert "dataset_info" in readme
    tables = {name: pq.read_table(BytesIO(content)) for name, content in hub.files.items() if name.endswith(".parquet")}
    assert sum(table.num_rows for table in tables.values()) == 9
    ids = {record for table in tables.values() for record in table["id"].to_pylist()}
    assert ids == {f"r{i}" for i in range(9)}
    commits = len(hub.commits)
    assert push(snapshot, hub.url) == "False"
    assert len(hub.commits) == commits


def test_a_wrong_token_is_one_line_without_it(hub: Hub, snapshot: Path) -> None:
    told = push(snapshot, hub.url, token="hf_" + "wrong" * 7)
    assert told.startswith(f"{snapshot.name} is in the store but not on the Hub as team/patents: ")
    assert "401" in told
    assert "check HF_TOKEN" in told
    assert "wrong" not in told
    assert "\n" not in told
    assert hub.files == {}


def test_a_hub_that_does_not_answer(snapshot: Path) -> None:
    told = push(snapshot, "http://127.0.0.1:9")
    assert f"{snapshot.name} is in the store but not on the Hub as team/patents: " in told
    assert "\n" not in told


def test_a_name_that_is_none(hub: Hub, snapshot: Path) -> None:
    assert "not on the Hub as no/such/name: " in push(snapshot, hub.url, "no/such/name")
