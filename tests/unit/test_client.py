"""The client against a small real HTTP server: what it repeats, what it tells, what it never tells."""

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import UUID

import argilla as rg
import pytest

from spanloop.argilla import ArgillaClient, connect, needs_prefect, queue_link
from spanloop.config import ArgillaConfig, LoopConfig
from spanloop.errors import ArgillaError, ArgillaUnauthorized, ArgillaUnreachable, ServiceError

KEY = "owner.key-0123456789"
Answers = list[tuple[int, object]]
Serve = Callable[..., ArgillaClient]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server that gives these answers in turn, the last one for ever; `.seen` are the requests."""
    servers: list[ThreadingHTTPServer] = []

    def start(*answers: tuple[int, object]) -> ArgillaClient:
        left, seen = list(answers), []

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                seen.append(f"{self.command} {self.path}")
                status, body = left.pop(0) if len(left) > 1 else left[0]
                content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_PUT = do_GET  # noqa: N815

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        client = ArgillaClient(f"http://127.0.0.1:{server.server_port}/", KEY, sleep=lambda _: None)
        client.seen = seen  # type: ignore[attr-defined]
        return client

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_passing_failures_are_tried_again(status: int, serve: Serve) -> None:
    client = serve((status, {"detail": "later"}), (status, "no json"), (200, {"username": "anna"}))
    assert client.get("me") == {"username": "anna"}
    assert client.seen == ["GET /api/v1/me"] * 3  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (
            (401, {"detail": {"code": "Unauthorized"}}),
            ArgillaUnauthorized,
            r"does not know this API key; check the key",
        ),
        ((403, {"detail": "not for annotators"}), ArgillaUnauthorized, r"does not allow this .*: not for annotators"),
        ((404, {"detail": "no such\n thing"}), ArgillaError, r"refused GET /api/v1/me \(404\): no such thing"),
        ((422, {"detail": [{"loc": ["a", 1], "msg": "odd"}]}), ArgillaError, r"\(422\): a\.1: odd"),
        ((422, {"detail": f"bad {KEY}"}), ArgillaError, r"\(422\): bad \*\*\*$"),
        ((422, {"detail": {"params": {"detail": "x" * 900}}}), ArgillaError, r"x{300}…$"),
        ((500, "oops"), ArgillaUnreachable, r"keeps failing with 500: Internal Server Error; see its log"),
        ((200, "<html>"), ArgillaError, r"answers, but not as Argilla; check argilla.api_url"),
    ],
)
def test_refusals_are_one_line(
    answer: tuple[int, object], error: type[ArgillaError], message: str, serve: Serve
) -> None:
    with pytest.raises(error, match=message) as caught:
        serve(answer).get("me")
    assert "\n" not in str(caught.value)
    assert KEY not in str(caught.value)


def test_nobody_there() -> None:
    waits: list[float] = []
    with (
        ArgillaClient("http://127.0.0.1:9", KEY, sleep=waits.append) as client,
        pytest.raises(ArgillaUnreachable, match=r"http://127.0.0.1:9 does not answer \(.*refused.*\); is it running"),
    ):
        client.get("me")
    assert sum(waits) < 5


def test_creating_looks_before_it_repeats(serve: Serve) -> None:
    there: list[dict[str, str]] = []

    def create(*answers: tuple[int, object]) -> object:
        client = serve(*answers)
        return client.once(lambda: client.post("datasets", {}), lambda: there[0] if there else None)

    assert create((502, "gateway"), (201, {"name": "second"})) == {"name": "second"}
    with pytest.raises(ArgillaError, match=r"\(422\): too long"):
        create((422, {"detail": "too long"}))
    there.append({"name": "first"})
    assert create((502, "gateway"), (201, {"name": "second"})) == {"name": "first"}
    assert create((409, {"detail": "exists"}), (201, {"name": "second"})) == {"name": "first"}


def test_the_sdk_speaks_through_the_client(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    handlers, default = list(logging.root.handlers), rg.Argilla._default_client
    me = (200, {"id": str(UUID(int=7)), "username": "anna", "role": "owner"})
    user = (201, {"id": str(UUID(int=8)), "username": "bert", "role": "annotator"})
    client = serve((503, "busy"), me, (502, "gateway"), user)
    made = rg.User("bert", password="secret-word", client=client.sdk)
    assert client.once(made.create, lambda: None).id == UUID(int=8)
    assert client.seen == ["GET /api/v1/me"] * 2 + ["POST /api/v1/users"] * 2  # type: ignore[attr-defined]
    assert logging.root.handlers == handlers
    assert rg.Argilla._default_client is default
    with pytest.raises(ArgillaUnauthorized, match="does not know this API key") as caught:
        serve((401, {"detail": KEY})).sdk  # noqa: B018
    assert KEY not in str(caught.value) + caplog.text
    assert "secret-word" not in caplog.text


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("<html>", "answers, but not as Argilla; check argilla.api_url"),
        ({"hello": "world"}, r"SDK does not take this from http.*: UserModel\.username: Field required"),
    ],
)
def test_what_the_sdk_cannot_read_is_one_line(answer: object, message: str, serve: Serve) -> None:
    with pytest.raises(ArgillaError, match=message) as caught:
        serve((200, answer)).sdk  # noqa: B018
    assert "\n" not in str(caught.value)


@pytest.fixture
def local(tmp_path: Path) -> dict[str, str]:
    """The environment of a machine with a local Argilla on the default port."""
    (tmp_path / "argilla").mkdir()
    fields = {"username": "owner", "password": "p", "api_key": KEY, "auth_secret": "s"}
    (tmp_path / "argilla" / "credentials.json").write_text(json.dumps({**fields, "api_url": "http://127.0.0.1:6900"}))
    return {"SPANLOOP_HOME": str(tmp_path)}


def key_of(environ: dict[str, str], **argilla: str) -> str:
    """The key that `connect` finds."""
    with connect(LoopConfig(argilla=ArgillaConfig(**argilla)), environ) as client:
        return client._http.headers["X-Argilla-Api-Key"]


def test_the_key_is_found_and_never_leaves_for_another_server(local: dict[str, str], tmp_path: Path) -> None:
    assert key_of(local) == key_of(local, api_url="http://localhost:6900/") == KEY
    assert key_of({**local, "ARGILLA_API_KEY": "other"}) == "other"
    for elsewhere in ("http://127.0.0.1:6901", "http://argilla.example:6900", "https://127.0.0.1"):
        with pytest.raises(ArgillaUnauthorized, match="no API key for"):
            key_of(local, api_url=elsewhere)
    with pytest.raises(ArgillaUnauthorized, match=r"local Argilla was last started at http://127\.0\.0\.1:6900; set"):
        key_of(local, api_url="http://localhost:6901")
    (tmp_path / "argilla" / "credentials.json").write_text("{")
    with pytest.raises(ServiceError, match="damaged"):
        key_of(local)
    with pytest.raises(ArgillaUnauthorized, match=r"set ARGILLA_API_KEY, or start the local Argilla"):
        key_of({"SPANLOOP_HOME": str(tmp_path / "elsewhere")})


def test_prefect_is_asked_only_for_a_block_that_is_named(local: dict[str, str]) -> None:
    config = LoopConfig(argilla=ArgillaConfig(api_key_block="argilla-key"))
    assert needs_prefect(config, local)
    assert not needs_prefect(config, {**local, "ARGILLA_API_KEY": "other"})
    assert not needs_prefect(LoopConfig(), local)
    code = "import sys; from spanloop import argilla, config; argilla.connect(config.LoopConfig()); print(*sys.modules)"
    environ = {**os.environ, **local}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    assert {"prefect", "argilla", "datasets"}.isdisjoint(done.stdout.split())


def test_a_key_with_odd_characters_is_refused_before_it_is_sent() -> None:
    with pytest.raises(ArgillaUnauthorized, match="characters that no key has; copy it again"):
        connect(LoopConfig(), {"ARGILLA_API_KEY": "schlüssel"})


@pytest.mark.parametrize("url", ["http://me:secret@argilla.example", "http://me:secret@argilla.example/"])
def test_the_link_for_annotators_has_no_password(url):
    assert queue_link(url, "7") == (
        "http://argilla.example/dataset/7/annotation-mode?page=1&status=pending&sort=metadata.priority.desc"
    )
