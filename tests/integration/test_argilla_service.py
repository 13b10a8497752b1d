"""`spanloop argilla start | stop | status | logs`, on the real server."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from spanloop.argilla.credentials import credentials_path, read_credentials
from spanloop.errors import ServiceError
from spanloop.local_argilla import process
from spanloop.local_argilla.log import log_path, read_log
from spanloop.processes.ports import free_port

SPANLOOP = str(Path(sys.executable).with_name("spanloop"))


@dataclass(frozen=True)
class Command:
    """`spanloop argilla …` in a home of its own."""

    home: Path
    environ: dict[str, str]

    def __call__(self, *arguments):
        command = [SPANLOOP, "argilla", *arguments]
        environ = {**self.environ, "SPANLOOP_HOME": str(self.home)}
        return subprocess.run(command, check=False, capture_output=True, text=True, env=environ, timeout=240)

    def begin(self, *arguments):
        command = [SPANLOOP, "argilla", *arguments]
        environ = {**self.environ, "SPANLOOP_HOME": str(self.home)}
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ)


@pytest.fixture
def argilla(tmp_path, server_environ):
    command = Command(tmp_path / "home", server_environ)
    yield command
    process.stop(command.home)


def login(url, credentials):
    """Log in as the web UI does; the token is what the browser keeps."""
    form = {"username": credentials.username, "password": credentials.password}
    answer = httpx.post(f"{url}/api/v1/token", data=form, timeout=30)
    answer.raise_for_status()
    return answer.json()["access_token"]


def me(url, token):
    return httpx.get(f"{url}/api/v1/me", headers={"Authorization": f"Bearer {token}"}, timeout=30)


@pytest.mark.argilla
def test_from_the_first_start_to_the_last_stop(argilla):
    port = free_port()
    both = [argilla.begin("start", "--port", str(port)) for _ in range(2)]  # two at once are safe
    outs = [x.communicate(timeout=240)[0] for x in both]
    assert [x.returncode for x in both] == [0, 0]
    first, second = sorted(outs, key=lambda x: "already runs" in x)
    credentials = read_credentials(credentials_path(argilla.home))
    url = f"http://127.0.0.1:{port}"
    assert url in first
    assert credentials.username in first
    assert credentials.password in first
    assert f"already runs at {url}" in second
    assert credentials.password not in second
    assert credentials.api_key not in first + second

    again = argilla("start", "--port", str(free_port()))
    assert again.returncode == 0
    assert f"already runs at {url}" in again.stdout

    status = argilla("status")
    assert status.returncode == 0
    for word in (url, "ready", "records  0 (0 completed)", str(process.status(argilla.home).pid)):
        assert word in status.stdout
    assert "startup complete" in argilla("logs").stdout

    # Logins survive kill -9 and a restart; the password is not shown a second time.
    token = login(url, credentials)
    os.kill(process.status(argilla.home).pid, signal.SIGKILL)
    assert argilla("status").returncode == 1
    restarted = argilla("start", "--port", str(port))
    assert restarted.returncode == 0
    assert credentials.password not in restarted.stdout
    assert me(url, token).json()["username"] == credentials.username
    assert read_credentials(credentials_path(argilla.home)) == credentials

    # Only this machine reaches it, and no secret is in its log or on its command line.
    server = psutil.Process(process.status(argilla.home).pid)
    assert {x.laddr.ip for x in server.net_connections() if x.status == psutil.CONN_LISTEN} == {"127.0.0.1"}
    seen = log_path(argilla.home).read_text() + " ".join(server.cmdline()) + str(server.environ())
    for secret in (credentials.password, credentials.api_key, credentials.auth_secret):
        assert secret not in seen

    assert argilla("stop").stdout == "Argilla stopped\n"
    assert not server.is_running() or server.status() == psutil.STATUS_ZOMBIE
    assert argilla("stop").stdout == "Argilla does not run\n"
    with pytest.raises(httpx.ConnectError):
        me(url, token)


@pytest.mark.argilla
def test_a_taken_port_is_one_line_and_leaves_nothing(argilla):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        failed = argilla("start", "--port", str(port))
    assert failed.returncode == 2
    assert failed.stderr.splitlines()[-1] == (
        f"spanloop: port {port} on 127.0.0.1 is taken by another program; choose another one with --port"
    )
    assert argilla("status").returncode == 1
    assert not credentials_path(argilla.home).exists()


@pytest.mark.argilla
def test_a_server_that_dies_while_starting_is_one_line_with_its_log(argilla):
    data = argilla.home / "argilla" / "data"
    data.mkdir(parents=True)
    with (data / "server.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # as a server would that somebody started by hand
        failed = argilla("start", "--port", str(free_port()))
    assert failed.returncode == 2
    last = failed.stderr.splitlines()[-1]
    assert last.startswith("spanloop: Argilla ended while starting: argilla: another server uses ")
    assert last.endswith(f"its log is {log_path(argilla.home)}")
    assert argilla("status").returncode == 1


def test_a_pid_that_is_another_process_by_now_is_left_alone(tmp_path):
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as stranger:
        state = {"pid": stranger.pid, "url": "http://127.0.0.1:1", "since": "2026-01-01T00:00:00+00:00"}
        (tmp_path / "argilla").mkdir()
        (tmp_path / "argilla" / "server.json").write_text(json.dumps(state))
        assert process.status(tmp_path).pid is None
        assert process.stop(tmp_path) is False
        assert stranger.poll() is None
        stranger.kill()
    assert not (tmp_path / "argilla" / "server.json").exists()


@pytest.mark.parametrize("text", ["", "{", '{"pid": 1}', "[]"])
def test_a_damaged_pid_file_means_not_running(tmp_path, text):
    (tmp_path / "argilla").mkdir()
    (tmp_path / "argilla" / "server.json").write_text(text)
    assert process.status(tmp_path) == process.Status()


def test_logs_before_the_first_start_say_what_to_do(tmp_path):
    with pytest.raises(ServiceError, match="spanloop argilla start"):
        list(read_log(tmp_path))


def test_logs_follow_what_is_added(tmp_path):
    path = log_path(tmp_path)
    path.parent.mkdir()
    path.write_text("one\ntwo\nthree\n")
    lines = read_log(tmp_path, last=2, follow=lambda: True)
    assert [next(lines), next(lines)] == ["two", "three"]
    with path.open("a") as file:
        file.write("four\n")
    assert next(lines) == "four"
    path.write_text("4a\n")  # past 20 MB it is begun anew
    assert next(lines) == "4a"
    path.rename(path.with_suffix(".1"))  # a new server begins a new file
    path.write_text("five\n")
    assert list(lines) == []


@pytest.mark.argilla
def test_the_sessions_server_is_the_one_that_runs(argilla_server, argilla_home, server_environ):
    again = process.start(argilla_home, port=free_port(), environ=server_environ)
    assert (again.pid, again.url, again.fresh) == (argilla_server.pid, argilla_server.url, False)
    assert again.password not in repr(again)
    assert again.api_key not in repr(again)
