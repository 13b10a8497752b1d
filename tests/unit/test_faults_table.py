"""The table of kinds of fault says only what is so: its tests and its places exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TABLE = (ROOT / "docs/faults.md").read_text(encoding="utf-8")
ROWS = [line.strip("| ").split(" | ") for line in TABLE.splitlines() if re.match(r"\| [A-Z]\. ", line)]


def test_every_kind_has_its_row() -> None:
    assert [row[0][0] for row in ROWS] == list("ABCDEFGHIJKL")
    assert {len(row) for row in ROWS} == {5}


@pytest.mark.parametrize("test", sorted(set(re.findall(r"`([\w/]+\.py(?:::\w+)+)`", TABLE))))
def test_every_test_of_the_table_exists(test: str) -> None:
    file, *names = test.split("::")
    code = (ROOT / "tests" / file).read_text(encoding="utf-8")
    assert all(re.search(rf"^\s*(def|class) {name}\b", code, re.MULTILINE) for name in names)


def test_every_row_names_places_that_exist_and_tests() -> None:
    for kind, _, _, places, tests in ROWS:
        assert all((ROOT / "src/spanloop" / place).exists() for place in re.findall(r"`([\w./]+)`", places)), kind
        assert "::" in tests, kind
