"""`spanloop run`, as a user types it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from sentences import sentences
from world import World

from spanloop.processes.ports import free_port
from spanloop.services.prefect_api import PrefectApi

HEAVY = ("torch", "transformers", "prefect", "accelerate")


@pytest.fixture
def command(make_world: Callable[..., World], tmp_path: Path) -> Callable[..., subprocess.CompletedProcess]:
    """Run `spanloop run` on a loop of its own: `command(**environment)`; `command.world` is the loop."""
    world = make_world(sentences(12))
    config = tmp_path / "spanloop.yaml"
    config.write_text(yaml.safe_dump(world.config.model_dump(mode="json")))

    def run(*arguments: str, verb: str = "run", cwd: Path | None = None, **environ: str) -> subprocess.CompletedProcess:
        script = "from spanloop.cli import main; main()"
        words = [sys.executable, "-P", "-c", script, verb, "--config", str(config), *arguments]
        env = {**os.environ, **environ}
        return subprocess.run(words, env=env, cwd=cwd, capture_output=True, text=True, check=False, timeout=120)

    run.world = world
    return run


def test_the_second_run_ends_without_loading_anything_heavy(command, prefect_server):
    from prefect.settings import PREFECT_API_URL

    first = command(PREFECT_API_URL=str(PREFECT_API_URL.value()))
    assert first.returncode == 0, first.stderr
    assert "0 submitted for training, 10 needed" in " ".join(first.stdout.split())
    assert "sort=metadata.priority.desc" in first.stdout

    second = command(PYTHONPROFILEIMPORTTIME="1")
    assert second.returncode == 0
    assert "nothing new since r0001" in second.stdout
    imported = {line.rpartition("|")[2].strip() for line in second.stderr.splitlines()}
    assert "spanloop.rounds.news" in imported
    assert imported.isdisjoint(HEAVY)


@pytest.fixture
def locked_server(tmp_path: Path) -> Iterator[str]:
    """The pages' address of a Prefect server that wants a password."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    environ = {**os.environ, "PREFECT_HOME": str(tmp_path / "locked"), "PREFECT_SERVER_API_AUTH_STRING": "a:b"}
    words = [sys.executable, "-m", "prefect", "server", "start", "--port", str(port)]
    with open(tmp_path / "locked.log", "w") as log, subprocess.Popen(words, env=environ, stdout=log, stderr=log) as it:
        try:
            while not PrefectApi(f"{url}/api").healthy():
                time.sleep(0.2)
                assert it.poll() is None, (tmp_path / "locked.log").read_text()
            yield url
        finally:
            it.terminate()


def one_line(result: subprocess.CompletedProcess) -> str:
    """What an expected error prints: one line, exit code 2."""
    assert result.returncode == 2, result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("spanloop: ")
    return result.stderr


def test_expected_errors_are_one_line_and_change_nothing(command):
    assert "does not know this API key" in one_line(command(ARGILLA_API_KEY="not-the-key"))
    assert "not-the-key" not in command(ARGILLA_API_KEY="not-the-key").stderr
    assert "does not exist in workspace" in one_line(command(SPANLOOP_ARGILLA__DATASET="no-such-dataset"))
    assert "training.stride" in one_line(command(SPANLOOP_TRAINING__STRIDE="-1"))
    assert not Path(command.world.config.store).exists()


def test_a_second_store_adopts_the_dataset(command, tmp_path):
    mine, other = {}, {"SPANLOOP_STORE": str(tmp_path / "other")}
    assert "belongs to store" in command(verb="adopt", **mine).stdout
    assert "by 'spanloop adopt'" in one_line(command(**other))
    told = command(verb="adopt", **other).stdout
    assert f"({tmp_path / 'other'}) now; before to store {command.world.store.id[:8]}" in told
    assert "already" in command(verb="adopt", **other).stdout
    assert "by 'spanloop adopt'" in one_line(command(**mine))


def test_any_command_takes_the_key_from_a_secret_block(command, prefect_server, monkeypatch, tmp_path):
    from prefect.blocks.system import Secret
    from prefect.settings import PREFECT_API_URL

    Secret(value=os.environ["ARGILLA_API_KEY"]).save("key-for-commands", overwrite=True)
    monkeypatch.delenv("ARGILLA_API_KEY")
    prefect = {"PREFECT_API_URL": str(PREFECT_API_URL.value()), "PREFECT_HOME": str(tmp_path)}
    done = command(verb="agreement", SPANLOOP_ARGILLA__API_KEY_BLOCK="key-for-commands", **prefect)
    assert done.returncode == 0, done.stderr
    assert "no record was submitted by two annotators yet" in done.stdout
    refused = command(verb="agreement", SPANLOOP_ARGILLA__API_KEY_BLOCK="nothing", **prefect)
    assert "no Prefect Secret block 'nothing'" in one_line(refused)


def test_a_running_round_is_named(command):
    with command.world.store.lock("the nightly round"):
        assert "the nightly round" in one_line(command())


def test_a_server_that_cannot_be_used_is_named_with_the_way_out(command, locked_server):
    said = one_line(command(PREFECT_API_URL=locked_server))
    assert f"its API is at {locked_server}/api" in said
    said = one_line(command(PREFECT_API_URL=f"{locked_server}/api"))
    assert "PREFECT_API_AUTH_STRING" in said
    done = command(PREFECT_API_URL=f"{locked_server}/api", PREFECT_API_AUTH_STRING="a:b")
    assert done.returncode == 0, done.stderr


def test_files_of_the_users_named_as_our_packages_are_left_alone(command, tmp_path, prefect_server):
    from prefect.settings import PREFECT_API_URL

    for name in ("flows.py", "tasks.py"):
        (tmp_path / name).write_text("raise SystemExit('this is not ours')")
    done = command(PYTHONPATH=str(tmp_path), PREFECT_API_URL=str(PREFECT_API_URL.value()))
    assert done.returncode == 0, done.stderr


def test_a_server_that_is_gone_has_a_way_out_whoever_named_it_also_behind_a_proxy(command, tmp_path, monkeypatch):
    for name in ("NO_PROXY", "no_proxy", "PREFECT_API_URL", "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE"):
        monkeypatch.delenv(name, raising=False)
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")
    gone = 'PREFECT_API_URL = "http://127.0.0.1:9/api"\n'
    (tmp_path / "profiles.toml").write_text(f'active = "mine"\n[profiles.mine]\n{gone}')
    (theirs := tmp_path / "theirs").mkdir()
    for where in (tmp_path, theirs):
        said = one_line(command(PREFECT_HOME=str(tmp_path), cwd=where, **proxies))
        assert "http://127.0.0.1:9/api does not answer; start it, or set PREFECT_API_URL= (to nothing)" in said
        (theirs / ".env").write_text(gone)
        (tmp_path / "profiles.toml").write_text("")
    for name in ("random.py", "datasets.py", "tasks.py"):  # in the way of the temporary server, and of children
        (theirs / name).write_text("raise SystemExit('this is not ours')")
    odd = {"ALL_PROXY": "socks5://127.0.0.1:9", "NO_PROXY": "[::1],.example.org"}  # of neither httpx makes anything
    done = command(PREFECT_HOME=str(tmp_path), PREFECT_API_URL="", cwd=theirs, **proxies, **odd)
    assert done.returncode == 0, done.stderr
    assert "ALL_PROXY names a SOCKS proxy and goes unused" in done.stderr


def test_a_server_that_does_not_answer_is_passed_over():
    from spanloop.services.prefect_environment import prepare_prefect

    environ = {"PREFECT_API_URL": "http://127.0.0.1:9/api", "PREFECT_LOGGING_EXTRA_LOGGERS": "mine"}
    assert prepare_prefect(environ) == "http://127.0.0.1:9/api"
    assert "PREFECT_API_URL" not in environ
    assert environ["PREFECT_LOGGING_EXTRA_LOGGERS"] == "mine"
    assert environ["DO_NOT_TRACK"] == "1"
