"""What `pip install .` brings: the library, the flows, the tasks and the definition of the deployments."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    """The wheel, built from the working tree."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return ZipFile(path)


def test_every_module_is_in_it(wheel: ZipFile) -> None:
    here = {str(p.relative_to(ROOT / "src")) for p in (ROOT / "src").rglob("*.py")}
    here |= {str(p.relative_to(ROOT)) for folder in ("flows", "tasks") for p in (ROOT / folder).rglob("*.py")}
    assert here <= set(wheel.namelist())


def test_files_that_the_code_reads_are_in_it(wheel: ZipFile) -> None:
    assert {"spanloop/deployments/prefect.yaml", "spanloop/local_argilla/constraints.txt"} <= set(wheel.namelist())


def test_tests_are_not_in_it(wheel: ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"spanloop", "flows", "tasks"}


def test_it_brings_the_command(wheel: ZipFile) -> None:
    (entry_points,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert "spanloop = spanloop.cli:main" in wheel.read(entry_points).decode()
