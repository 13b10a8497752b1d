"""The client against a small real HTTP server: what it repeats, what it tells, what it never tells."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from spanloop.argilla.client import ArgillaClient
from spanloop.argilla.keys import find_key
from spanloop.config import ArgillaConfig
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
        config = ArgillaConfig(api_url=f"http://127.0.0.1:{server.server_port}/")
        client = ArgillaClient(config, {"ARGILLA_API_KEY": KEY}, sleep=lambda _: None)
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
    config = ArgillaConfig(api_url="http://127.0.0.1:9")
    waits: list[float] = []
    with (
        ArgillaClient(config, {}, api_key=KEY, sleep=waits.append) as client,
        pytest.raises(ArgillaUnreachable, match=r"http://127.0.0.1:9 does not answer \(.*refused.*\); is it running"),
    ):
        client.get("me")
    assert sum(waits) < 5


def test_creating_looks_before_it_repeats(serve: Serve) -> None:
    there: list[dict[str, str]] = []
    client = serve((502, "gateway"), (201, {"name": "second"}))
    assert client.create("datasets", {}, lambda: there[0] if there else None) == {"name": "second"}
    there.append({"name": "first"})
    client = serve((502, "gateway"), (201, {"name": "second"}))
    assert client.create("datasets", {}, lambda: there[0]) == {"name": "first"}
    client = serve((409, {"detail": "exists"}), (201, {"name": "second"}))
    assert client.create("datasets", {}, lambda: there[0]) == {"name": "first"}
    with pytest.raises(ArgillaError, match=r"\(422\): too long"):
        serve((422, {"detail": "too long"})).create("datasets", {}, lambda: None)


def test_the_key_is_found_and_never_leaves_for_another_server(tmp_path: Path) -> None:
    config = ArgillaConfig()
    environ = {"SPANLOOP_HOME": str(tmp_path)}
    with pytest.raises(ArgillaUnauthorized, match=r"set ARGILLA_API_KEY, or start the local Argilla"):
        find_key(config, environ)
    (tmp_path / "argilla").mkdir()
    fields = {"username": "owner", "password": "p", "api_key": KEY, "auth_secret": "s"}
    (tmp_path / "argilla" / "credentials.json").write_text(json.dumps({**fields, "api_url": "http://127.0.0.1:6900"}))
    assert find_key(config, environ) == KEY
    assert find_key(ArgillaConfig(api_url="http://localhost:6900/"), environ) == KEY
    assert find_key(config, {**environ, "ARGILLA_API_KEY": "other"}) == "other"
    for elsewhere in ("http://127.0.0.1:6901", "http://argilla.example:6900", "https://127.0.0.1"):
        with pytest.raises(ArgillaUnauthorized, match="no API key for"):
            find_key(ArgillaConfig(api_url=elsewhere), environ)
    (tmp_path / "argilla" / "credentials.json").write_text("{")
    with pytest.raises(ServiceError, match="damaged"):
        find_key(config, environ)


def test_a_key_with_odd_characters_is_refused_before_it_is_sent() -> None:
    with pytest.raises(ArgillaUnauthorized, match="characters that no key has; copy it again"):
        ArgillaClient(ArgillaConfig(), {"ARGILLA_API_KEY": "schlüssel"})
