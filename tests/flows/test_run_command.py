"""`spanloop run`, as a user types it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from sentences import sentences
from world import World

HEAVY = ("torch", "transformers", "prefect", "accelerate")


@pytest.fixture
def command(make_world: Callable[..., World], tmp_path: Path) -> Callable[..., subprocess.CompletedProcess]:
    """Run `spanloop run` on a loop of its own: `command(**environment)`; `command.world` is the loop."""
    world = make_world(sentences(12))
    config = tmp_path / "spanloop.yaml"
    config.write_text(yaml.safe_dump(world.config.model_dump(mode="json")))

    def run(*arguments: str, verb: str = "run", **environ: str) -> subprocess.CompletedProcess:
        script = "from spanloop.cli import main; main()"
        words = [sys.executable, "-c", script, verb, "--config", str(config), *arguments]
        return subprocess.run(
            words, env={**os.environ, **environ}, capture_output=True, text=True, check=False, timeout=120
        )

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


def test_a_server_that_does_not_answer_is_passed_over():
    from spanloop.services.prefect_environment import prepare_prefect

    environ = {"PREFECT_API_URL": "http://127.0.0.1:9/api", "PREFECT_LOGGING_EXTRA_LOGGERS": "mine"}
    assert prepare_prefect(environ) == "http://127.0.0.1:9/api"
    assert "PREFECT_API_URL" not in environ
    assert environ["PREFECT_LOGGING_EXTRA_LOGGERS"] == "mine"
    assert environ["DO_NOT_TRACK"] == "1"
