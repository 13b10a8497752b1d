"""What is asked of a Prefect server over its REST API, without importing Prefect."""

import base64
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import httpx

from spanloop.errors import ServiceError
from spanloop.processes.ports import is_loopback


class NotThereError(ServiceError):
    """The server does not know what was asked for."""


UNFINISHED = ("PENDING", "RUNNING", "CANCELLING")


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment as the server knows it.

    Attributes:
        schedules: Its schedules, as a definition writes them.
        parameters: What a run gets unless somebody says otherwise.
    """

    id: str
    name: str
    schedules: list[dict[str, Any]]
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PrefectApi:
    """A Prefect server; what is asked of it raises `ServiceError` where it does not answer as expected.

    Attributes:
        url: Address of its API, e.g. `http://127.0.0.1:4200/api`.
        headers: What it wants to see from us.
    """

    url: str
    headers: dict[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def at(cls, url: str, environ: Mapping[str, str]) -> Self:
        """A server, with the key or the password that Prefect's own variables hold."""
        headers = {}
        if key := environ.get("PREFECT_API_KEY"):
            headers["Authorization"] = f"Bearer {key}"
        elif password := environ.get("PREFECT_API_AUTH_STRING"):
            headers["Authorization"] = f"Basic {base64.b64encode(password.encode()).decode()}"
        return cls(url.rstrip("/"), headers)

    @property
    def _use_proxy(self) -> bool:
        """Whether a proxy that the environment names may be used."""
        return not is_loopback(self.url)

    def answers(self) -> bool:
        """Whether something there answers, be it with a refusal."""
        found = self._look("/health")
        return found is not None and found.status_code < 500

    def healthy(self) -> bool:
        """Whether it answers as a server that is up."""
        return _is_true(self._look("/health"))

    def require(self) -> None:
        """Check that flows can run on it.

        Raises:
            ServiceError: It does not answer, its address is not that of an API, or it wants a password.
        """
        if self.healthy():
            asked = self._look("/admin/version")
            if asked is not None and asked.status_code in (401, 403):
                raise ServiceError(
                    f"the Prefect server at {self.url} refuses us ({asked.status_code}); set PREFECT_API_AUTH_STRING "
                    "to its user:password, or PREFECT_API_KEY for Prefect Cloud"
                )
            return
        if _is_true(self._look("/api/health")):
            raise ServiceError(f"PREFECT_API_URL {self.url} is a page's address; its API is at {self.url}/api")
        raise ServiceError(
            f"the Prefect server at {self.url} does not answer; start it, or set PREFECT_API_URL= (to nothing) for a "
            "temporary one"
        )

    def online_workers(self, pool: str) -> set[str]:
        """The names of the workers of a pool that have reported themselves of late; none where there is no pool."""
        try:
            seen = self._ask("POST", f"/work_pools/{pool}/workers/filter", {})
        except NotThereError:
            return set()
        return {x["name"] for x in seen if x["status"] == "ONLINE"}

    def deployments(self, pool: str) -> list[Deployment]:
        """The deployments of a work pool; the server may have others, which are none of our business."""
        return [
            Deployment(x["id"], x["name"], [_as_defined(s) for s in x["schedules"]], x["parameters"])
            for x in self._ask("POST", "/deployments/filter", {"work_pools": {"name": {"any_": [pool]}}})
        ]

    def set_parameters(self, deployment: Deployment, parameters: dict[str, Any]) -> None:
        """Replace the default parameters of a deployment."""
        self._ask("PATCH", f"/deployments/{deployment.id}", {"parameters": parameters})

    def unfinished(self, deployments: list[Deployment]) -> list[dict[str, Any]]:
        """The flow runs of these deployments that have begun and not ended, as far as the server knows."""
        which = {
            "deployments": {"id": {"any_": [x.id for x in deployments]}},
            "flow_runs": {"state": {"type": {"any_": list(UNFINISHED)}}},
        }
        found: list[dict[str, Any]] = self._ask("POST", "/flow_runs/filter", which)
        return found

    def mark_crashed(self, run_id: str, message: str) -> None:
        """Say that a flow run is no more; its concurrency slot becomes free."""
        state = {"type": "CRASHED", "name": "Crashed", "message": message}
        self._ask("POST", f"/flow_runs/{run_id}/set_state", {"state": state, "force": True})

    def _look(self, path: str) -> httpx.Response | None:
        """Ask once, in passing; None where nobody answers."""
        try:
            return httpx.get(f"{self.url}{path}", headers=self.headers, timeout=5, trust_env=self._use_proxy)
        except (httpx.HTTPError, httpx.InvalidURL, ImportError, ValueError):  # the last two of proxies
            return None

    def _ask(self, method: str, path: str, body: dict[str, Any]) -> Any:
        """Ask; all that is asked here may be asked again, so a busy server is given time."""
        for patience in (0.5, 1, 2, 4, 8, None):
            try:
                answer = self._send(method, path, body)
                if answer.status_code not in (502, 503) or patience is None:
                    break
            except httpx.TransportError as error:
                if patience is None:
                    raise ServiceError(f"the Prefect server at {self.url} does not answer: {error}") from None
            time.sleep(patience)
        if answer.status_code == 404:
            raise NotThereError(f"the Prefect server at {self.url} has no {path}")
        if answer.status_code == 401:
            raise ServiceError(f"the Prefect server at {self.url} wants a password: set PREFECT_API_AUTH_STRING")
        if answer.is_error:
            raise ServiceError(f"the Prefect server at {self.url} answered {path} with {answer.status_code}")
        return answer.json() if answer.content else None

    def _send(self, method: str, path: str, body: dict[str, Any]) -> httpx.Response:
        with httpx.Client(headers=self.headers, timeout=30, trust_env=self._use_proxy) as client:
            return client.request(method, f"{self.url}{path}", json=body)


def _is_true(answer: httpx.Response | None) -> bool:
    """A server that is up says `true`; its pages say something else, also with 200."""
    return answer is not None and answer.status_code == 200 and answer.text.strip() == "true"


def _as_defined(schedule: dict[str, Any]) -> dict[str, Any]:
    """A schedule of the server in the form of a definition."""
    more = {name: schedule.get(name) for name in ("active", "slug", "parameters")}
    return {name: value for name, value in (schedule["schedule"] | more).items() if value not in (None, {})}
