"""The example in the package's docstring runs as it stands, and its map names every room."""

import re
import textwrap
from pathlib import Path

import pytest
import yaml
from snapshots import people_snapshot
from tiny_models import save_tiny_encoder

import spanloop

DOCSTRING = str(spanloop.__doc__)
ROOT = Path(__file__).parents[2]


def rooms_of(text: str) -> set[str]:
    """The first words of the indented lines of a map."""
    lines = re.findall(r"^ {4}((?:[\w/]+, )*[\w/]+) {2,}\S", text, flags=re.MULTILINE)
    return {room.strip("/") for line in lines for room in line.split(", ")}


@pytest.mark.parametrize(
    "text", [DOCSTRING, (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")], ids=["docstring", "CONTRIBUTING"]
)
def test_the_map_names_every_room(text: str) -> None:
    entries = Path(spanloop.__file__).parent.iterdir()
    there = {x.stem for x in entries if x.is_dir() or x.suffix == ".py"} - {"__init__", "__pycache__"}
    assert there <= rooms_of(text)
    assert rooms_of(text) - there <= {"flows", "tasks", "deployments", "tests", "benchmarks", "docs", "src"}


def test_the_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    people_snapshot(tmp_path / "store")
    encoder = save_tiny_encoder(tmp_path / "encoder")
    training = {"model_name_or_path": str(encoder), "max_length": 32, "stride": 8, "min_steps": 5}
    training["num_train_epochs"] = 1
    (tmp_path / "spanloop.yaml").write_text(yaml.safe_dump({"store": "store", "training": training}))
    code = textwrap.dedent(DOCSTRING[DOCSTRING.index("    from pathlib") :])
    exec(compile(code, "the docstring of spanloop", "exec"), {})
    said = capsys.readouterr().out
    assert "training records in v0001-" in said
    assert re.search(r"^\[.*\] after \d+ seconds$", said, flags=re.MULTILINE)
