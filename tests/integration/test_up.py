"""`spanloop up`: the services live and die together, and the form in the Prefect UI starts a round."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from spanloop.local_argilla.process import Running
from spanloop.processes.ports import free_port
from spanloop.services.orphans import sweep
from spanloop.services.prefect_api import PrefectApi

SPANLOOP = str(Path(sys.executable).with_name("spanloop"))
CHROMIUM = shutil.which("chromium")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
CONFIG = """
argilla: {{api_url: "{url}", workspace: up, dataset: up}}
task: {{labels: [person, place], guidelines: "{{{{ before }}}}"}}
training: {{num_train_epochs: 7}}
"""

pytestmark = pytest.mark.argilla


def eventually(true: Callable[[], Any], patience: float = 120.0) -> Any:
    deadline = time.monotonic() + patience
    while not (value := true()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.3)
    return value


@dataclass
class Up:
    """A running `spanloop up`."""

    process: "subprocess.Popen[str]"
    folder: Path
    environ: dict[str, str]
    url: str

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        def answer() -> httpx.Response | None:
            answer = httpx.request(method, f"{self.url}/api{path}", json=body, timeout=60)
            return None if answer.status_code == 503 else answer.raise_for_status()  # 503: SQLite is busy

        return eventually(answer)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        return self.ask("POST", path, body).json()

    def deployment(self) -> dict[str, Any]:
        (found,) = self.post("/deployments/filter", {})
        return dict(found)

    def run(self, parameters: dict[str, Any]) -> str:
        body = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
        return str(self.post(f"/deployments/{self.deployment()['id']}/create_flow_run", body)["id"])

    def finished(self, run: str) -> dict[str, Any]:
        def ended() -> dict[str, Any] | None:
            found = self.ask("GET", f"/flow_runs/{run}").json()
            return found if found["state_type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED") else None

        return dict(eventually(ended))

    def spanloop(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [SPANLOOP, *arguments]
        return subprocess.run(
            command, check=False, capture_output=True, text=True, env=self.environ, cwd=self.folder, timeout=120
        )


def begin(folder: Path, environ: dict[str, str]) -> Up:
    """Start it and wait until it says that everything is up."""
    port = free_port()
    with (folder / "up.out").open("w") as out:
        process = subprocess.Popen(
            [SPANLOOP, "up", "--prefect-port", str(port)], env=environ, cwd=folder, stdout=out, stderr=out, text=True
        )

    def up() -> bool:
        text = (folder / "up.out").read_text()
        assert process.poll() is None, text
        return "Ctrl-C stops them all." in text

    eventually(up, patience=240)
    return Up(process, folder, environ, f"http://127.0.0.1:{port}")


@pytest.fixture(scope="module")
def up(
    argilla_server: Running, server_environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Up]:
    """One for the module; the session's Argilla is somebody else's for it, so it is used and not stopped."""
    folder = tmp_path_factory.mktemp("up")
    (folder / "spanloop.yaml").write_text(CONFIG.format(url=argilla_server.url))
    environ = {k: v for k, v in server_environ.items() if not k.startswith("PREFECT_")}
    environ |= {"SPANLOOP_HOME": str(folder / "home"), "ARGILLA_API_KEY": argilla_server.api_key}
    environ["OMP_NUM_THREADS"] = "1"
    (folder / "click.py").write_text("raise RuntimeError('a file of the user was imported for the library click')")
    (folder / "texts.csv").write_text("id,text\n1,Anna lives in Paris.\n2,Rain over Oslo.\n")
    subprocess.run([SPANLOOP, "import", "texts.csv"], check=True, capture_output=True, env=environ, cwd=folder)
    started = begin(folder, environ)
    yield started
    started.process.send_signal(signal.SIGINT)
    started.process.wait(60)


def test_a_run_has_the_configuration_of_the_folder_and_no_secret(up, argilla_server):
    run = up.finished(up.run({}))
    assert run["state_type"] == "COMPLETED", run["state"]
    config = run["parameters"]["config"]
    assert config["task"]["labels"] == ["person", "place"]
    assert config["store"] == str(up.folder / "store")
    assert argilla_server.api_key not in str(run) + str(up.deployment())
    assert argilla_server.api_key not in "".join(x.read_text() for x in (up.folder / "home" / "logs").iterdir())


def test_the_schedule_is_off_until_somebody_switches_it_on(up):
    (schedule,) = up.deployment()["schedules"]
    assert schedule["active"] is False


def schedules(up):
    """What the deployment's schedules say, without the server's own ids and times."""
    told = ("cron", "interval", "timezone", "day_or")
    there = up.deployment()["schedules"]
    found = [({name: x["schedule"].get(name) for name in told}, x["active"], x["parameters"]) for x in there]
    return sorted(found, key=str)


def test_a_changed_file_changes_the_deployment_and_leaves_the_schedules_as_somebody_made_them(up):
    deployment = up.deployment()
    (schedule,) = deployment["schedules"]
    path, monday = f"/deployments/{deployment['id']}/schedules", {"cron": "30 6 * * 1", "timezone": "Europe/Berlin"}
    up.ask("PATCH", f"{path}/{schedule['id']}", {"schedule": monday, "active": True})
    nightly = {"schedule": {"interval": 86400.0}, "active": False, "parameters": {"again": True}}
    up.ask("POST", path, [nightly])
    before = schedules(up)
    assert len(before) == 2
    path = up.folder / "spanloop.yaml"
    path.write_text(path.read_text().replace("before", "after"))
    eventually(lambda: up.deployment()["parameters"]["config"]["task"].get("guidelines") == "{{ after }}")
    assert schedules(up) == before
    path.write_text(path.read_text() + "oops: [")  # a mistake is said, and changes nothing
    eventually(lambda: "stay as they were: " in (up.folder / "up.out").read_text())
    assert up.process.poll() is None
    path.write_text(path.read_text().replace("oops: [", ""))


def test_a_run_without_a_process_counts_as_crashed_once_it_has_had_time_to_start(up):
    body = {"state": {"type": "SCHEDULED", "state_details": {"scheduled_time": "2099-01-01T00:00:00Z"}}}
    run = up.post(f"/deployments/{up.deployment()['id']}/create_flow_run", body)["id"]
    up.post(f"/flow_runs/{run}/set_state", {"state": {"type": "RUNNING", "name": "Running"}, "force": True})
    api, said = PrefectApi.at(f"{up.url}/api", {}), []
    sweep(api, "spanloop", said.append, lambda run: True)
    sweep(api, "another-pool", said.append)
    assert said == []
    sweep(api, "spanloop", said.append)
    assert len(said) == 1
    assert up.ask("GET", f"/flow_runs/{run}").json()["state_type"] == "CRASHED"


def test_a_second_one_is_refused_with_one_line(up):
    second = up.spanloop("up")
    assert second.returncode == 2
    assert second.stderr.splitlines()[-1].startswith(f"spanloop: spanloop up already runs for {up.folder / 'home'}; ")


def test_a_taken_port_is_refused_with_one_line(up, tmp_path):
    elsewhere = Up(up.process, up.folder, up.environ | {"SPANLOOP_HOME": str(tmp_path)}, up.url)
    port = up.url.rpartition(":")[2]
    refused = elsewhere.spanloop("up", "--prefect-port", port)
    assert refused.returncode == 2
    assert f"port {port} on 127.0.0.1 is taken" in refused.stderr.splitlines()[-1]
    assert "--prefect-port" in refused.stderr


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (Debian: apt install chromium)")
def test_the_form_in_the_browser_starts_a_round_with_what_was_typed(up):
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (pip install .[dev])")
    before = {x["id"] for x in up.post("/flow_runs/filter", {})}
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1400, "height": 1200})
        page.goto(f"{up.url}/deployments/deployment/{up.deployment()['id']}")
        page.get_by_role("button", name="Run", exact=True).click()
        page.get_by_text("Custom run").first.click()
        epochs = page.locator("xpath=//*[contains(text(), 'Num Train Epochs')]/following::input[1]")
        assert epochs.input_value() == "7"
        assert page.get_by_text("Passes over the records.").is_visible()
        epochs.fill("3")

        def submitted() -> bool:
            with page.expect_response(lambda answer: answer.url.endswith("/create_flow_run")) as answer:
                page.get_by_role("button", name="Submit").click()
            return answer.value.status != 503  # SQLite is busy: the page says so, and a person clicks again

        eventually(submitted)
        browser.close()
    new = [x["id"] for x in up.post("/flow_runs/filter", {}) if x["id"] not in before and not x["auto_scheduled"]]
    (run,) = [up.finished(x) for x in new]
    assert run["state_type"] == "COMPLETED", run["state"]
    assert run["parameters"]["config"]["training"]["num_train_epochs"] == 3


def test_ctrl_c_ends_everything_and_says_which_run_was_cut_off(up, argilla_server):
    argilla = psutil.Process(argilla_server.pid)
    argilla.suspend()  # a run with nothing to do would be over before it is looked at; it waits for an answer now
    try:
        run = up.run({})
        eventually(lambda: up.ask("GET", f"/flow_runs/{run}").json()["state_type"] == "RUNNING")
        family = psutil.Process(up.process.pid).children(recursive=True)
        assert len(family) >= 4  # watchdog, server, worker, run
        up.process.send_signal(signal.SIGINT)
        assert up.process.wait(60) == 0
    finally:
        argilla.resume()
    assert not [x for x in family if x.is_running() and x.status() != psutil.STATUS_ZOMBIE]
    assert "was cut off; it counts as crashed" in (up.folder / "up.out").read_text()
    with pytest.raises(httpx.ConnectError):
        up.deployment()
    assert os.path.exists(f"/proc/{argilla_server.pid}")  # it was not ours to stop
