"""Text of users in the terminal: shown as it is, brackets and all."""

import re
from pathlib import Path

import pytest
from rounds import a_round
from typer.testing import CliRunner

import spanloop.cli
from spanloop.cli import run
from spanloop.cli.terminal import progress_bar
from spanloop.records import Span
from spanloop.spans import LostSpan

NAMES = ("scan[/p12]", "scan[b]13", "[red]", "a[link=x]b")


def test_a_record_id_with_brackets_does_not_end_the_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    lost = tuple(LostSpan(name, Span(0, 1, "person"), "duplicate") for name in NAMES)
    run._show(a_round(annotations={"lost": lost}, queue_link="http://x/[b]"))
    shown = capsys.readouterr().out
    assert "4 in " + ", ".join(f"{name} (duplicate)" for name in NAMES) in shown
    assert "annotate  http://x/[b]" in shown


def test_a_bar_takes_any_description() -> None:
    with progress_bar(counts=True) as bar:
        bar.add_task("importing a[/b]", total=1)
        assert "importing a[/b]" in bar.make_tasks_table(bar.tasks).columns[0]._cells[0].plain


def test_every_command_shows_text_through_the_plain_console() -> None:
    modules = Path(spanloop.cli.__file__).parent.glob("*.py")
    own = [m.name for m in modules if re.search(r"\bConsole\(", m.read_text(encoding="utf-8"))]
    assert own == ["terminal.py"]


def test_the_version_is_shown() -> None:
    spanloop.cli.register()
    done = CliRunner().invoke(spanloop.cli.app, ["--version"])
    assert (done.exit_code, done.output) == (0, f"spanloop {spanloop.__version__}\n")
