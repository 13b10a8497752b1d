"""Argilla's REST API, safe to repeat: every call either happened once or is one line of error.

Only `httpx` is used: importing Argilla's own client takes seconds, and it offers neither sorting nor partial updates.
"""

import os
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

import httpx

from spanloop.argilla.keys import find_key, is_loopback
from spanloop.config import ArgillaConfig
from spanloop.errors import ArgillaError, ArgillaUnauthorized, ArgillaUnreachable

Json = Any
_WAITS = (0.2, 0.5, 1.0, 2.0)  # seconds between attempts
_PASSING = {429, 500, 502, 503, 504}
_TAKEN = {409, 422}
_DETAIL = 300


class ArgillaClient:
    """A connection to one Argilla server with one key.

    Requests that may be repeated (reading, searching, replacing) are repeated after time-outs, dropped connections and
    passing server errors. What creates something is repeated only after a look at whether it is there by now.
    """

    def __init__(
        self,
        config: ArgillaConfig,
        environ: Mapping[str, str] = os.environ,
        *,
        api_key: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Connect; no request is made yet.

        Args:
            config: Address, name of the key's variable, time limit.
            environ: Environment variables.
            api_key: The key, where the caller has it from elsewhere (a Prefect Secret block).
            sleep: Waits between attempts.

        Raises:
            ArgillaUnauthorized: There is no key.
        """
        self.url = config.api_url.rstrip("/")
        self._key = api_key or find_key(config, environ)
        self._sleep = sleep
        self._http = httpx.Client(
            base_url=f"{self.url}/api/v1/",
            headers={"X-Argilla-Api-Key": _header(self._key, config)},
            timeout=httpx.Timeout(config.timeout_seconds, connect=min(10.0, config.timeout_seconds)),
            trust_env=not is_loopback(self.url),
        )

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

    def get(self, path: str, **params: str | int) -> Json:
        """Read a resource."""
        return self._repeat("GET", path, params=params)

    def put(self, path: str, body: Json = None) -> Json:
        """Replace something; the server ends in the same state however often it is asked."""
        return self._repeat("PUT", path, json=body)

    def patch(self, path: str, body: Json) -> Json:
        """Change some values of a resource."""
        return self._repeat("PATCH", path, json=body)

    def search(self, path: str, body: Json, **params: str | int) -> Json:
        """Ask with a body; nothing changes on the server."""
        return self._repeat("POST", path, json=body, params=params)

    def create(self, path: str, body: Json, find: Callable[[], Json | None]) -> Json:
        """Create something once, whatever happens on the way.

        Args:
            path: Where to POST.
            body: What to create.
            find: Looks for it; asked after a failure that leaves open whether the server did the work.

        Returns:
            What was created, or what `find` found.
        """
        for wait in (*_WAITS, 0.0):
            answer, problem = self._once("POST", path, json=body)
            if answer is not None and answer.is_success:
                return self._json(answer)
            passing = answer is None or answer.status_code in _PASSING
            if (passing or (answer is not None and answer.status_code in _TAKEN)) and (found := find()) is not None:
                return found
            if not passing:
                break
            self._sleep(wait)
        raise self._error(answer, problem)

    def _repeat(self, method: str, path: str, **options: Any) -> Json:
        for wait in (*_WAITS, 0.0):
            answer, problem = self._once(method, path, **options)
            if answer is not None and answer.is_success:
                return self._json(answer)
            if answer is not None and answer.status_code not in _PASSING:
                break
            self._sleep(wait)
        raise self._error(answer, problem)

    def _once(self, method: str, path: str, **options: Any) -> tuple[httpx.Response | None, str]:
        """One attempt: the answer, or None and what went wrong."""
        try:
            return self._http.request(method, path, **options), ""
        except httpx.TimeoutException:
            return None, "no answer in time"
        except (httpx.TransportError, httpx.DecodingError) as error:
            return None, _one_line(str(error)) or type(error).__name__
        except (httpx.InvalidURL, UnicodeError):
            raise ArgillaUnreachable(f"{self.url} is not an address; check argilla.api_url") from None

    def _json(self, answer: httpx.Response) -> Json:
        if answer.status_code == httpx.codes.NO_CONTENT:
            return None
        try:
            return answer.json()
        except ValueError:
            raise ArgillaError(f"{self.url} answers, but not as Argilla; check argilla.api_url") from None

    def _error(self, answer: httpx.Response | None, problem: str) -> ArgillaError:
        """What went wrong, in one line without the key."""
        here = f"Argilla at {self.url}"
        if answer is None:
            return ArgillaUnreachable(
                f"{here} does not answer ({problem}); is it running, and is argilla.api_url right?"
            )
        status, detail = answer.status_code, _detail(answer).replace(self._key, "***")
        if status == httpx.codes.UNAUTHORIZED:
            return ArgillaUnauthorized(f"{here} does not know this API key; check the key and the address")
        if status == httpx.codes.FORBIDDEN:
            return ArgillaUnauthorized(f"{here} does not allow this to the API key's user: {detail}")
        if status in _PASSING:
            return ArgillaUnreachable(f"{here} keeps failing with {status}: {detail}; see its log")
        return ArgillaError(f"{here} refused {answer.request.method} {answer.request.url.path} ({status}): {detail}")


def _header(key: str, config: ArgillaConfig) -> str:
    if not key.isascii() or not key.isprintable():
        raise ArgillaUnauthorized(
            f"the API key in {config.api_key_env} holds characters that no key has; copy it again"
        )
    return key


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
