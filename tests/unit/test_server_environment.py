"""The server's environment: complete, half-made, foreign, or impossible."""

from pathlib import Path

import pytest

from spanloop.errors import ServiceError
from spanloop.server import environment
from spanloop.server.environment import ensure_environment, environment_path


def fake_environment(folder: Path, answer: str) -> Path:
    """A folder whose `bin/python` answers like an environment with that server, or with none."""
    python = folder / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\necho '{answer}'\n")
    python.chmod(0o755)
    return python


@pytest.fixture
def makings(monkeypatch):
    """Count how often an environment is made, and make a small one: the real way takes a minute."""
    made: list[Path] = []

    def make(folder, progress):
        made.append(folder)
        (folder / "bin").mkdir(parents=True)
        fake = fake_environment(folder / "x", "argilla-server==2.8.0")
        fake.replace(folder / "bin" / "python")
        (folder / ".spanloop-complete").write_text(environment._recipe())

    monkeypatch.setattr(environment, "_make", make)
    return made


def test_it_lives_in_the_home_unless_a_variable_names_another(tmp_path):
    assert environment_path(tmp_path, {}) == tmp_path / "server-env"
    assert environment_path(tmp_path, {"SPANLOOP_SERVER_ENV": "/srv/env"}) == Path("/srv/env")


def test_a_complete_one_is_used_as_it_is(tmp_path, makings):
    ensure_environment(tmp_path / "server-env")
    python = ensure_environment(tmp_path / "server-env")
    assert python == tmp_path / "server-env" / "bin" / "python"
    assert len(makings) == 1


def test_a_half_made_one_is_made_again(tmp_path, makings):
    folder = tmp_path / "env"
    fake_environment(folder, "argilla-server==2.8.0")  # whole to the eye, but pip was killed before the end
    (folder / ".spanloop-started").touch()
    (folder / "rubbish").touch()
    ensure_environment(folder)
    assert makings == [folder]
    assert not (folder / "rubbish").exists()


def test_a_changed_recipe_makes_it_again(tmp_path, makings):
    folder = tmp_path / "env"
    ensure_environment(folder)
    (folder / ".spanloop-complete").write_text("of last year")
    ensure_environment(folder)
    assert len(makings) == 2


def test_one_whose_python_is_gone_is_made_again(tmp_path, makings):
    folder = tmp_path / "env"
    ensure_environment(folder)
    (folder / "bin" / "python").unlink()
    ensure_environment(folder)
    assert len(makings) == 2


def test_a_foreign_one_with_the_right_server_is_used_and_not_touched(tmp_path, makings):
    folder = tmp_path / "theirs"
    python = fake_environment(folder, "argilla-server==2.8.0")
    assert ensure_environment(folder) == python
    assert makings == []
    assert sorted(x.name for x in folder.iterdir()) == ["bin"]


@pytest.mark.parametrize("answer", ["argilla-server==2.7.0", ""])
def test_a_foreign_one_with_another_server_is_refused_and_not_touched(tmp_path, makings, answer):
    folder = tmp_path / "theirs"
    fake_environment(folder, answer)
    with pytest.raises(ServiceError, match=r"theirs is no environment with argilla-server==2\.8\.0"):
        ensure_environment(folder)
    assert makings == []
    assert (folder / "bin" / "python").exists()


def test_a_failing_pip_is_one_line_with_its_log(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with pytest.raises(ServiceError) as caught:
        ensure_environment(tmp_path / "env")
    message = str(caught.value)
    assert "\n" not in message
    assert "argilla-server==2.8.0" in message
    assert str(tmp_path / "env.log") in message
    assert not (tmp_path / "env" / ".spanloop-complete").exists()


def test_every_requirement_is_pinned_by_the_constraints():
    pinned = {line.split("==")[0].lower() for line in environment.CONSTRAINTS.read_text().splitlines() if "==" in line}
    names = {x.split("==")[0].split("<")[0].lower() for x in environment.REQUIREMENTS}
    assert names <= pinned
