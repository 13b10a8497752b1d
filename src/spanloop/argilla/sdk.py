"""Argilla's SDK on a connection of ours; imported only where it is used, for it imports pandas and `datasets`."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import argilla as rg
import httpx
from argilla._exceptions import ArgillaError as SdkError
from pydantic import ValidationError

from spanloop.errors import ArgillaError

Send = Callable[[httpx.Request], httpx.Response]


def open_sdk(url: str, api_key: str, send: Send) -> rg.Argilla:
    """The SDK's client, which sends nothing by itself.

    Args:
        url: Address of the server.
        api_key: The key.
        send: Sends a request and returns what the server was content with; its errors pass through the SDK unchanged.
    """
    with sdk_errors(url):
        return _Sdk(url, api_key, retries=0, mounts={"all://": _Through(send)})


@contextmanager
def sdk_errors(url: str) -> Iterator[None]:
    """What the SDK cannot make sense of, as one line of ours.

    Args:
        url: Address of the server.

    Raises:
        ArgillaError: In place of the SDK's own errors, and of those that it meets in an unexpected answer.
    """
    try:
        yield
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        what = f"{error.title}.{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise ArgillaError(f"Argilla's SDK does not take this from {url}: {what}") from None
    except (SdkError, KeyError) as error:
        raise ArgillaError(f"Argilla's SDK cannot use what {url} answered: {' '.join(str(error).split())}") from None


class _Through(httpx.BaseTransport):
    """Hands requests over instead of sending them: one pool of connections, one patience, one rule for proxies."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._send(request)


class _Sdk(rg.Argilla):
    def log(self, message: str, level: int = logging.INFO) -> Any:
        """Log under the SDK's name; its own `log` would give the root logger a handler that prints."""
        logging.getLogger("argilla.sdk").log(level, message)
