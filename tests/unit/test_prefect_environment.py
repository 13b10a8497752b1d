"""What Prefect gets from the environment, and what is said where that cannot work."""

from pathlib import Path

import pytest

from spanloop.errors import ConfigError
from spanloop.services.prefect_environment import prepare_prefect


def refused(message: str, environ: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        prepare_prefect(environ)
    assert "\n" not in str(caught.value)


def test_its_folder_is_made_or_refused(tmp_path: Path) -> None:
    prepare_prefect({"PREFECT_HOME": str(tmp_path / "a" / "b")})
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "x", Path("/proc/x")):
        refused(rf"PREFECT_HOME {place} cannot be used \(.*; name a folder that can", {"PREFECT_HOME": str(place)})


@pytest.mark.parametrize("user_home", ["/proc", "/proc/none", "/dev/null"])
def test_without_a_home_to_write_it_lives_with_the_other_services(
    user_home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", user_home)
    environ = {"SPANLOOP_HOME": str(tmp_path)}
    prepare_prefect(environ)
    assert environ["PREFECT_HOME"] == str(tmp_path / "prefect")
    refused(r"/proc/1/prefect cannot be used .* set PREFECT_HOME to a folder", {"SPANLOOP_HOME": "/proc/1"})


@pytest.mark.parametrize("name", ["profiles.toml", "prefect.toml", "pyproject.toml"])
def test_a_damaged_file_of_its_settings_is_one_line(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text('[profiles]\nactive = "a\n')
    refused(rf"{name} is no TOML, and Prefect reads it \(.*line 2", {"PREFECT_HOME": str(tmp_path)})
    (tmp_path / name).write_bytes(b"\xff\xfe")
    refused(rf"{name} is no TOML", {"PREFECT_HOME": str(tmp_path)})
    (tmp_path / name).write_text("")
    assert prepare_prefect({"PREFECT_HOME": str(tmp_path)}) is None
