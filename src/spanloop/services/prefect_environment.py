"""Environment variables under which Prefect runs here; set before it is imported, which this module never does."""

from collections.abc import MutableMapping

import httpx

from spanloop.processes.ports import is_loopback

_DEFAULTS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",  # a busy machine takes longer than Prefect's 20
    "PREFECT_LOGGING_EXTRA_LOGGERS": "spanloop",  # the library's decisions appear in the run's log
    "PREFECT_LOGGING_LEVEL": "WARNING",  # and Prefect's own bookkeeping does not
}


def prepare_prefect(environ: MutableMapping[str, str]) -> str | None:
    """Set what Prefect needs for a round by hand, without overriding what the user has set.

    A server in `PREFECT_API_URL` that does not answer is passed over: the round then runs on a temporary server.

    Returns:
        The address of the server that was passed over; None if none was.
    """
    for name, value in _DEFAULTS.items():
        environ.setdefault(name, value)
    url = environ.get("PREFECT_API_URL")
    if not url or _answers(url):
        return None
    return environ.pop("PREFECT_API_URL")


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url.rstrip('/')}/health", timeout=5, trust_env=not is_loopback(url)).status_code < 500
    except (httpx.HTTPError, httpx.InvalidURL):
        return False
