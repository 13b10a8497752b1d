"""The README says only what is so: its commands, targets and folders exist."""

import re
import shlex
from pathlib import Path

import pytest
import typer.main

from spanloop import cli

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def lines_of_code() -> list[str]:
    """The lines of the README's indented code blocks, comments cut off."""
    return [re.sub(r"\s{2,}#.*", "", line).strip() for line in README.splitlines() if line.startswith("    ")]


def commands(first_word: str) -> list[str]:
    inline = re.findall(rf"`({first_word} [^`]+)`", README)
    return sorted({line for line in [*lines_of_code(), *inline] if line.startswith(first_word + " ")})


@pytest.mark.parametrize("line", commands("spanloop"))
def test_every_spanloop_command_of_the_readme_parses(line: str) -> None:
    cli.register()
    command = typer.main.get_command(cli.app)
    words = shlex.split(line)[1:]
    context = command.make_context("spanloop", list(words))
    while words and hasattr(command, "commands"):
        name, command, rest = command.resolve_command(context, words)
        words = [*rest]
        context = command.make_context(name, [*rest], parent=context)


@pytest.mark.parametrize("line", commands("make"))
def test_every_make_target_of_the_readme_exists(line: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert line.split()[1] in targets


@pytest.mark.parametrize("line", commands("python"))
def test_every_benchmark_of_the_readme_exists(line: str) -> None:
    words = shlex.split(line)
    assert words[2].startswith("benchmarks.")
    assert words[1] == "-m"
    module = ROOT / words[2].replace(".", "/")
    assert module.with_suffix(".py").is_file() or (module / "__main__.py").is_file()


def test_every_folder_of_the_house_exists() -> None:
    house = README.split("## The house")[1].split("\n\n")[1]
    for line in house.splitlines():
        assert (ROOT / line.split()[0]).is_dir()
