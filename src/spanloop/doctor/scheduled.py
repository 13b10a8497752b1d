"""Checks of Prefect: the server that flows would run on, our deployments on it, and who runs them."""

from collections.abc import Iterator

from spanloop.doctor.health_check import Finding, HealthCheck, note
from spanloop.doctor.set_up import SetUp
from spanloop.services.prefect import POOL, PORT
from spanloop.services.prefect_api import PrefectApi
from spanloop.services.up import up_runs


def _prefect(set_up: SetUp) -> Iterator[Finding]:
    passed_over, api = set_up.prefect
    if passed_over:
        yield Finding(
            f"Prefect at {passed_over} (PREFECT_API_URL) does not answer; start it, or unset the variable: rounds by "
            "hand take a temporary server"
        )
    if api:
        api.require()
    elif not passed_over:
        yield note("no server is configured; a round by hand takes a temporary one")


def _worker(set_up: SetUp) -> Iterator[Finding]:
    api = set_up.prefect[1]
    if api is None and up_runs(set_up.home):
        api = PrefectApi.at(f"http://127.0.0.1:{PORT}/api", set_up.environ)
    if api is None or not api.healthy():
        return
    deployments, workers = api.deployments(POOL), api.online_workers(POOL)
    if not deployments:
        yield note(f"{api.url} has no deployments of spanloop; 'spanloop up' or 'spanloop worker' makes them")
    elif not workers:
        names = ", ".join(x.name for x in deployments)
        yield Finding(
            f"no worker serves pool {POOL!r} at {api.url}, so that runs of {names} wait for ever; start 'spanloop up', "
            "or 'spanloop worker' beside a server of your own"
        )


CHECKS = (
    HealthCheck("prefect", _prefect),
    HealthCheck("worker", _worker, needs=("prefect",)),
)
