"""A proxy before the real Argilla that breaks requests the way networks and busy servers do."""

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

PATIENCE = 0.7  # seconds that a client of these tests waits; the proxy's late answers take longer

DROPPED_BEFORE = "dropped before"  # the connection breaks, the server never saw the request
DROPPED_AFTER = "dropped after"  # the server did the work, the connection breaks before the answer
CUT_ANSWER = "cut answer"  # the server did the work, half of the answer arrives
LATE_ANSWER = "late answer"  # the server did the work, the answer comes after the client's patience
BUSY_BEFORE = "busy before"  # 503 from something in front of the server
BAD_GATEWAY_AFTER = "bad gateway after"  # the server did the work, something in front of it says 502
FAULTS = (DROPPED_BEFORE, DROPPED_AFTER, CUT_ANSWER, LATE_ANSWER, BUSY_BEFORE, BAD_GATEWAY_AFTER)


@dataclass
class Proxy:
    """A running proxy.

    Attributes:
        url: Where it listens.
        fault: Chooses what happens to a request of this method and path; empty: nothing.
        seen: Method and path of every request.
    """

    url: str
    fault: Callable[[str, str], str] = lambda method, path: ""
    seen: list[tuple[str, str]] = field(default_factory=list)


def first_time_each(*faults: str) -> Callable[[str, str], str]:
    """Break the first request to each path that changes something, with one fault after the other."""
    met: set[tuple[str, str]] = set()

    def choose(method: str, path: str) -> str:
        request = (method, urlsplit(path).path)
        if method == "GET" or path.endswith("search") or request in met:
            return ""
        met.add(request)
        return faults[(len(met) - 1) % len(faults)]

    return choose


@contextmanager
def proxy_to(url: str) -> Iterator[Proxy]:
    """Run a proxy before the server at `url`."""
    target = urlsplit(url)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def _handle(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            proxy.seen.append((self.command, self.path))
            fault = proxy.fault(self.command, self.path)
            if fault == DROPPED_BEFORE:
                return self._drop()
            if fault == BUSY_BEFORE:
                return self._answer(503, b'{"detail": "busy"}')
            status, answer = self._forward(body)
            if fault == DROPPED_AFTER:
                return self._drop()
            if fault == BAD_GATEWAY_AFTER:
                return self._answer(502, b"<html>bad gateway</html>")
            if fault == LATE_ANSWER:
                time.sleep(PATIENCE * 1.5)
                return self._drop()
            return self._answer(status, answer, cut=fault == CUT_ANSWER)

        def _forward(self, body: bytes) -> tuple[int, bytes]:
            connection = http.client.HTTPConnection(target.hostname or "", target.port, timeout=60)
            headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "accept-encoding")}
            connection.request(self.command, self.path, body, headers)
            response = connection.getresponse()
            answer = response.read()
            connection.close()
            return response.status, answer

        def _answer(self, status: int, body: bytes, cut: bool = False) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if cut else body)
            if cut:
                self._drop()

        def _drop(self) -> None:
            self.close_connection = True

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    proxy = Proxy(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
