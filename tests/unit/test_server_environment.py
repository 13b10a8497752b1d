"""The server's environment: made with real venv and pip, from empty wheels of the right names and versions.

The real 580 MB are what the tests with a real server run on.
"""

import shutil
import zipfile
from pathlib import Path

import pytest

from spanloop.errors import ServiceError
from spanloop.local_argilla import environment, process
from spanloop.local_argilla.environment import ensure_environment, environment_path

PINS = dict(x.split("==") for x in environment.CONSTRAINTS.read_text().split() if "==" in x)
NAMES = [x.split("==")[0].split("<")[0] for x in environment.REQUIREMENTS]


def write_wheel(folder: Path, name: str) -> Path:
    """An empty package of the pinned version."""
    stem = f"{name.replace('-', '_')}-{PINS[name]}"
    path = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{stem}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {PINS[name]}\n")
        wheel.writestr(f"{stem}.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nTag: py3-none-any\n")
        wheel.writestr(f"{stem}.dist-info/RECORD", "")
    return path


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    for name in NAMES:
        write_wheel(folder, name)
    return folder


def use_only(wheels: Path, patch: pytest.MonkeyPatch) -> None:
    """Let pip know these wheels and nothing else, and no uv be looked for."""
    patch.setenv("SPANLOOP_INSTALLER", "pip")
    patch.setenv("PIP_CONFIG_FILE", "/dev/null")
    patch.setenv("PIP_NO_INDEX", "1")
    patch.setenv("PIP_FIND_LINKS", str(wheels))


class Steps:
    """What was told while an environment was made."""

    def __init__(self) -> None:
        self.told: list[tuple[str, float]] = []

    def __call__(self, what: str, share: float) -> None:
        self.told.append((what, share))


@pytest.fixture(scope="module")
def made(wheels, tmp_path_factory) -> tuple[Path, "Steps"]:
    """A complete environment, of which tests take copies, and what was told while it was made."""
    folder, steps = tmp_path_factory.mktemp("made") / "env", Steps()
    with pytest.MonkeyPatch.context() as patch:
        use_only(wheels, patch)
        ensure_environment(folder, steps)
    return folder, steps


@pytest.fixture
def folder(made, tmp_path) -> Path:
    return Path(shutil.copytree(made[0], tmp_path / "env", symlinks=True))


def test_it_lives_in_the_home_unless_a_variable_names_another(tmp_path):
    assert environment_path(tmp_path, {}) == tmp_path / "server-env"
    assert environment_path(tmp_path, {"SPANLOOP_SERVER_ENV": "/srv/env"}) == Path("/srv/env")


def test_making_one_tells_how_far_it_is(made):
    _, steps = made
    assert {f"fetching {x}" for x in ("argilla_server", "fakeredis")} <= {what for what, _ in steps.told}
    shares = [share for _, share in steps.told]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)


def test_a_complete_one_is_used_as_it_is(folder):
    steps = Steps()
    assert ensure_environment(folder, steps) == folder / "bin" / "python"
    assert steps.told == []


class BeganAnew(Exception):
    """Raised at the first step of a making, to see that there is one without waiting for it."""


def begin_anew(what: str, share: float) -> None:
    raise BeganAnew


def test_a_failing_pip_is_one_line_with_its_log_and_the_half_made_one_is_made_again(tmp_path, wheels, monkeypatch):
    lacking = shutil.copytree(wheels, tmp_path / "lacking")
    next(lacking.glob("fakeredis-*")).unlink()
    use_only(lacking, monkeypatch)
    with pytest.raises(ServiceError) as caught:
        ensure_environment(tmp_path / "env")
    message = str(caught.value)
    assert "\n" not in message
    assert "fakeredis" in message
    assert message.endswith(f"all of it is in {tmp_path / 'env.log'}")
    with pytest.raises(BeganAnew):
        ensure_environment(tmp_path / "env", begin_anew)
    assert not (tmp_path / "env" / "bin").exists()  # what was left of the first making is gone


def test_one_that_was_cut_off_before_its_marker_is_made_again(folder):
    (folder / ".spanloop-complete").unlink()  # whole to the eye, but pip was killed before the end
    with pytest.raises(BeganAnew):
        ensure_environment(folder, begin_anew)


def test_a_changed_recipe_makes_it_again(folder):
    (folder / ".spanloop-complete").write_text("of last year")
    with pytest.raises(BeganAnew):
        ensure_environment(folder, begin_anew)


def test_a_lost_interpreter_makes_it_again(folder):
    (folder / "bin" / "python").unlink()
    with pytest.raises(BeganAnew):
        ensure_environment(folder, begin_anew)


def foreign(folder: Path) -> Path:
    """An environment that somebody else made."""
    for marker in folder.glob(".spanloop-*"):
        marker.unlink()
    return folder


def test_a_foreign_one_with_the_right_server_is_used_and_not_touched(folder):
    before = sorted(foreign(folder).rglob("*"))
    assert ensure_environment(folder) == folder / "bin" / "python"
    assert sorted(folder.rglob("*")) == before


def test_a_foreign_one_with_another_server_is_refused_and_not_touched(folder):
    metadata = next(foreign(folder).rglob("argilla_server-*/METADATA"))
    metadata.write_text(metadata.read_text().replace("2.8.0", "2.7.0"))
    before = sorted(folder.rglob("*"))
    with pytest.raises(ServiceError, match=r"env is no environment with argilla-server==2\.8\.0"):
        ensure_environment(folder)
    assert sorted(folder.rglob("*")) == before


def test_a_folder_with_something_else_is_refused_and_not_touched(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").touch()
    with pytest.raises(ServiceError, match=r"photos is no environment"):
        ensure_environment(tmp_path / "photos")
    assert (tmp_path / "photos" / "cat.jpg").exists()


def test_every_requirement_is_pinned_by_the_constraints():
    assert set(NAMES) <= set(PINS)


def test_a_folder_of_that_name_with_other_things_is_left_alone(tmp_path):
    folder = tmp_path / "server-env"
    folder.mkdir()
    (folder / "thesis.txt").write_text("mine")
    with pytest.raises(ServiceError, match="server-env is no environment with argilla-server"):
        ensure_environment(folder)
    assert (folder / "thesis.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["50%", "what?"])
def test_a_path_that_the_database_cannot_have_is_told_at_once(tmp_path, name):
    with pytest.raises(ServiceError, match=r"database takes no .* in its path; set SPANLOOP_HOME elsewhere"):
        process.start(tmp_path / name)
    assert not (tmp_path / name).exists()
