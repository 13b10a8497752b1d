"""Ask an Argilla server how it is."""

from enum import Enum

import httpx


class Health(Enum):
    """How a server answers: not at all, as one that does not know us, or as ours."""

    SILENT = "silent"
    REFUSED = "refused"
    READY = "ready"


def ask(url: str, api_key: str, timeout: float = 5.0) -> Health:
    """Ask a server who holds a key that it should know."""
    try:
        answer = _get(url, "/me", api_key, timeout)
    except httpx.HTTPError:
        return Health.SILENT
    if answer.status_code in (401, 403):
        return Health.REFUSED
    return Health.READY if answer.status_code == 200 else Health.SILENT


def is_argilla(url: str, timeout: float = 5.0) -> bool:
    """Whether an Argilla server answers at an address, whoever started it."""
    try:
        return "version" in httpx.get(f"{url}/api/v1/version", timeout=timeout, trust_env=False).json()
    except (httpx.HTTPError, ValueError, TypeError):
        return False


def count_records(url: str, api_key: str, timeout: float = 30.0) -> tuple[int | None, int | None]:
    """Count the records of all data sets, and those of them that are completed; None where there is no answer."""
    total = completed = 0
    try:
        for dataset in _get(url, "/me/datasets", api_key, timeout).json()["items"]:
            if dataset["status"] == "ready":
                progress = _get(url, f"/datasets/{dataset['id']}/progress", api_key, timeout).json()
                total, completed = total + progress["total"], completed + progress["completed"]
    except (httpx.HTTPError, ValueError, KeyError):
        return None, None
    return total, completed


def _get(url: str, path: str, api_key: str, timeout: float) -> httpx.Response:
    """One request, past any proxy that the environment names: the server is on this machine."""
    return httpx.get(f"{url}/api/v1{path}", headers={"X-Argilla-Api-Key": api_key}, timeout=timeout, trust_env=False)
