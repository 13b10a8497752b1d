"""The models that other tests use are the same in every process."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

SUPPORT = Path(__file__).parent.parent / "support"
CODE = """
import sys
from pathlib import Path
from sentences import tiny_encoder
from tiny_models import TOKENIZERS, save_tiny_encoder
from tiny_scorers import save_tiny_scorer

folder = Path(sys.argv[1])
tiny_encoder(folder / "sentences")
for kind in TOKENIZERS:
    save_tiny_encoder(folder / kind, kind)
save_tiny_scorer(folder / "scorer")
"""


def hashes(folder: Path, hash_seed: str) -> dict[str, str]:
    """Each file of the models that a process of its own makes, hashed."""
    environ = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join([str(SUPPORT), *sys.path])}
    for name in ("sentences", "wordpiece", "byte_level", "unigram", "scorer"):
        (folder / name).mkdir(parents=True)
    subprocess.run([sys.executable, "-c", CODE, str(folder)], env=environ, check=True, capture_output=True)
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_two_processes_make_the_same_models(tmp_path: Path) -> None:
    found = hashes(tmp_path / "one", "1")
    assert found == hashes(tmp_path / "two", "2")
    assert sum(name.endswith("model.safetensors") for name in found) == 5
    assert sum(name.endswith("tokenizer.json") for name in found) == 5
