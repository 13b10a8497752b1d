"""`spanloop init` writes every setting with its description, and never over a file."""

import sys
from pathlib import Path

import pytest

from spanloop.cli import main
from spanloop.cli.template import commented_yaml
from spanloop.config import LoopConfig
from spanloop.settings import load_config


def spanloop(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run the command line; its exit code."""
    monkeypatch.setattr(sys, "argv", ["spanloop", *arguments])
    with pytest.raises(SystemExit) as left:
        main()
    return int(left.value.code or 0)


def test_the_template_reads_back_as_the_defaults(tmp_path: Path) -> None:
    labels = ["person", "no", "1", "a: b", "#", "名"]
    path = tmp_path / "spanloop.yaml"
    path.write_text(commented_yaml(labels), encoding="utf-8")
    expected = LoopConfig(store=str(tmp_path / "store"))
    expected.task.labels = labels
    assert load_config(path, {}) == expected


def test_every_setting_is_described() -> None:
    lines = commented_yaml([]).splitlines()
    settings = [number for number, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")]
    assert len(settings) > 60
    assert all(lines[number - 1].lstrip().startswith("# ") for number in settings)
    assert "  # Longest wait for one answer of the server. [over 0 to 600]" in lines


def test_a_file_that_is_there_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert spanloop(monkeypatch, "init", "--labels", "person, place") == 0
    written = (tmp_path / "spanloop.yaml").read_text()
    assert load_config(None, {}).task.labels == ["person", "place"]
    assert spanloop(monkeypatch, "init", "--labels", "other") == 2
    assert capsys.readouterr().err == (
        "spanloop: spanloop.yaml exists and stays as it is; edit it, or name another with --file\n"
    )
    assert (tmp_path / "spanloop.yaml").read_text() == written


def test_labels_that_cannot_be_are_told_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert spanloop(monkeypatch, "init", "--labels", "person,person") == 2
    assert "'person' stands twice" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
