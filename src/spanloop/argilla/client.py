"""One Argilla server and one key; safe to repeat: every call either happened once or is one line of error."""

import time
from collections.abc import Callable
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self, TypeVar

import httpx

from spanloop.errors import ArgillaError, ArgillaUnauthorized, ArgillaUnreachable, first_line
from spanloop.processes.ports import is_loopback

if TYPE_CHECKING:
    import argilla as rg

Json = Any
T = TypeVar("T")

_WAITS = (0.2, 0.5, 1.0, 2.0)  # seconds between attempts
_BUSY = {429, 500, 502, 503, 504}
_CLASHING = {404, 409, 422}
_DETAIL = 300


class _MayPass(ArgillaUnreachable):
    """Another attempt may do better; whether the server did the work is open."""


class _Clash(ArgillaError):
    """Refused, perhaps because it is there already, or because what it is about has changed or gone."""


class ArgillaClient:
    """A connection to one Argilla server with one key; a context manager.

    Requests that may be repeated (reading, searching, replacing) are repeated after time-outs, dropped connections and
    passing server errors. What creates something is repeated only after a look at whether it is there by now. Argilla's
    SDK (`sdk`) sends its requests through here, and so keeps the same promises and has the same errors.
    """

    def __init__(
        self, url: str, api_key: str, *, timeout: float = 60.0, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """Make a client; no request is made yet.

        Args:
            url: Address of the server.
            api_key: The key.
            timeout: Longest wait for one answer, in seconds.
            sleep: Waits between attempts.

        Raises:
            ArgillaUnauthorized: No key looks like this one.
            ArgillaError: The proxies that the environment names cannot be used.
        """
        if not api_key.isascii() or not api_key.isprintable():
            raise ArgillaUnauthorized(f"the API key for {url} holds characters that no key has; copy it again")
        self.url = url.rstrip("/")
        self._key = api_key
        self._timeout = timeout
        self._sleep = sleep
        try:
            self._http = httpx.Client(
                base_url=f"{self.url}/api/v1/",
                headers={"X-Argilla-Api-Key": api_key},
                timeout=httpx.Timeout(timeout, connect=min(10.0, timeout)),
                trust_env=not is_loopback(self.url),
            )
        except (ImportError, ValueError, httpx.InvalidURL) as error:
            reason = first_line(error)
            raise ArgillaError(f"{self.url} cannot be asked ({reason}); look at HTTP_PROXY and ALL_PROXY") from None

    def __repr__(self) -> str:
        """The address; never the key."""
        return f"ArgillaClient({self.url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def with_key(self, api_key: str) -> Self:
        """The same server, seen by somebody else."""
        return type(self)(self.url, api_key, timeout=self._timeout, sleep=self._sleep)

    @cached_property
    def sdk(self) -> "rg.Argilla":
        """Argilla's SDK on this connection; the first use imports it (0.7 s) and asks the server who we are."""
        from spanloop.argilla.sdk import open_sdk

        return open_sdk(self.url, self._key, self._forward)

    def get(self, path: str, **params: str | int) -> Json:
        """Read a resource."""
        return self._repeat("GET", path, params=params)

    def put(self, path: str, body: Json = None) -> Json:
        """Replace something; the server ends in the same state however often it is asked."""
        return self._repeat("PUT", path, json=body)

    def delete(self, path: str, **params: str) -> Json:
        """Remove something by its id; the server ends in the same state however often it is asked."""
        return self._repeat("DELETE", path, params=params)

    def patch(self, path: str, body: Json) -> Json:
        """Change some values of a resource."""
        return self._repeat("PATCH", path, json=body)

    def search(self, path: str, body: Json, **params: str | int) -> Json:
        """Ask with a body; nothing changes on the server."""
        return self._repeat("POST", path, json=body, params=params)

    def post(self, path: str, body: Json) -> Json:
        """Create something in one attempt, which may have worked although it fails: `once` goes around it."""
        return self._parsed(self._once("POST", path, json=body))

    def once(self, make: Callable[[], T], find: Callable[[], T | None]) -> T:
        """Make something once, whatever happens on the way.

        Args:
            make: Sends the one request that creates it, by `post` or through the SDK.
            find: Looks for it; asked after a failure that leaves open whether the server did the work.

        Returns:
            What `make` made, or what `find` found.
        """
        waits = iter(_WAITS)
        while True:
            try:
                return make()
            except (_MayPass, _Clash) as problem:
                if (found := find()) is not None:
                    return found
                wait = None if isinstance(problem, _Clash) else next(waits, None)
                if wait is None:
                    raise
            self._sleep(wait)

    def unless_overtaken(self, write: Callable[[], object], overtaken: Callable[[], bool]) -> bool:
        """Write to what was looked at before, unless it has changed or gone since.

        Args:
            write: Sends what the server takes as a whole or refuses as a whole.
            overtaken: Looks whether things are still as they were; asked where the server refuses.

        Returns:
            Whether it was written.

        Raises:
            ArgillaError: The server refuses, and nothing has changed.
        """
        try:
            write()
        except _Clash:
            if not overtaken():
                raise
            return False
        return True

    def _repeat(self, method: str, path: str, **options: Any) -> Json:
        return self._parsed(self._steadily(method, path, **options))

    def _steadily(self, method: str, path: str, **options: Any) -> httpx.Response:
        for wait in _WAITS:
            try:
                return self._once(method, path, **options)
            except _MayPass:
                self._sleep(wait)
        return self._once(method, path, **options)

    def _once(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One attempt; returns only what the server was content with."""
        try:
            answer = self._http.request(method, path, **options)
        except httpx.TimeoutException:
            self._no_answer("no answer in time")
        except (httpx.TransportError, httpx.DecodingError) as error:
            self._no_answer(_one_line(str(error)) or type(error).__name__)
        except (httpx.InvalidURL, UnicodeError):
            raise ArgillaUnreachable(f"{self.url} is not an address; check argilla.api_url") from None
        if not answer.is_success:
            raise self._refusal(answer)
        return answer

    def _parsed(self, answer: httpx.Response) -> Json:
        if answer.status_code == httpx.codes.NO_CONTENT:
            return None
        try:
            return answer.json()
        except ValueError:
            raise ArgillaError(f"{self.url} answers, but not as Argilla; check argilla.api_url") from None

    def _forward(self, request: httpx.Request) -> httpx.Response:
        """Send a request of the SDK; what it POSTs creates something, so `once` has to stand around it."""
        send = self._once if request.method == "POST" else self._steadily
        body = request.read()
        kind = {"Content-Type": request.headers["Content-Type"]} if body else {}
        answer = send(request.method, str(request.url), content=body or None, headers=kind)
        self._parsed(answer)
        return httpx.Response(answer.status_code, content=answer.content)

    def _no_answer(self, problem: str) -> NoReturn:
        raise _MayPass(
            f"Argilla at {self.url} does not answer ({problem}); is it running, and is argilla.api_url right?"
        ) from None

    def _refusal(self, answer: httpx.Response) -> ArgillaError:
        """What the server said, in one line without the key."""
        here, status = f"Argilla at {self.url}", answer.status_code
        detail = _detail(answer).replace(self._key, "***")
        if status == httpx.codes.UNAUTHORIZED:
            return ArgillaUnauthorized(f"{here} does not know this API key; check the key and the address")
        if status == httpx.codes.FORBIDDEN:
            return ArgillaUnauthorized(f"{here} does not allow this to the API key's user: {detail}")
        if status in _BUSY:
            return _MayPass(f"{here} keeps failing with {status}: {detail}; see its log")
        kind = _Clash if status in _CLASHING else ArgillaError
        return kind(f"{here} refused {answer.request.method} {answer.request.url.path} ({status}): {detail}")


def _detail(answer: httpx.Response) -> str:
    """The server's own words, as one short line."""
    try:
        body = answer.json()
    except ValueError:
        return answer.reason_phrase
    detail = body.get("detail", body) if isinstance(body, dict) else body
    if isinstance(detail, dict) and isinstance(params := detail.get("params"), dict):
        detail = params.get("detail") or params.get("errors") or detail.get("code")
    if isinstance(detail, list) and detail and isinstance(detail[0], dict):
        first = detail[0]
        detail = f"{'.'.join(str(x) for x in first.get('loc', ()))}: {first.get('msg', first)}"
    return _one_line(str(detail))


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _DETAIL else f"{line[:_DETAIL]}…"
