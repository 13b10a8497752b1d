"""The models that other tests use are the same in every process."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from sentences import tiny_encoder
from tiny_models import TOKENIZERS, save_tiny_encoder
from tiny_scorers import save_tiny_scorer


def make_all(folder: Path) -> Path:
    """One model of every kind."""
    tiny_encoder(folder / "sentences")
    save_tiny_scorer(folder / "scorer")
    for kind in TOKENIZERS:
        save_tiny_encoder(folder / kind, kind)
    return folder


def hashes(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_two_processes_make_the_same_models(tmp_path: Path) -> None:
    code = "import sys, pathlib, test_tiny_models\ntest_tiny_models.make_all(pathlib.Path(sys.argv[1]))"
    other = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    environ = {**os.environ, "PYTHONHASHSEED": other, "PYTHONPATH": path}
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "there")], env=environ, check=True, capture_output=True)
    found = hashes(make_all(tmp_path / "here"))
    assert found == hashes(tmp_path / "there")
    assert sum(name.endswith(("model.safetensors", "tokenizer.json")) for name in found) == 10
