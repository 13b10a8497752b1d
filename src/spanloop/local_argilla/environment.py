"""The environment of the local Argilla server: its pins cannot live together with Prefect's, so it has its own.

Made on first use. A marker is written last: without it the folder is half-made and is made again.
`SPANLOOP_SERVER_ENV` names another folder, e.g. one that a CI job keeps.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from spanloop.durable import replace_file
from spanloop.errors import ServiceError
from spanloop.installing.installer import Installer, make_empty
from spanloop.installing.output import Progress
from spanloop.processes.files import file_lock, writing
from spanloop.settings import whole_path

REQUIREMENTS = (
    "argilla-server==2.8.0",
    "click<8.2",  # its command line breaks with later ones
    "fakeredis",  # in place of a Redis server
    "huggingface_hub<1",  # the last ones that its Hub import works with
)
CONSTRAINTS = Path(__file__).with_name("constraints.txt")
_PYTHONS = ((3, 11), (3, 12), (3, 13))  # the versions that Argilla's pins have wheels for


def environment_path(home: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of the server's environment: `SPANLOOP_SERVER_ENV`, or `server-env` in `home`."""
    chosen = environ.get("SPANLOOP_SERVER_ENV")
    return whole_path(chosen) if chosen else home / "server-env"


def ensure_environment(folder: Path, progress: Progress = lambda what, share: None) -> Path:
    """Make the server's environment unless it is complete.

    Args:
        folder: Where it is, or is to be. A folder that spanloop did not make is used when the right server is
            installed in it, and never changed.
        progress: Told how far the making is.

    Returns:
        The environment's Python.

    Raises:
        ServiceError: It cannot be made, or `folder` holds something else.
    """
    python = folder / "bin" / "python"
    if _complete(folder):
        return python
    taken = f"another process has been making {folder} for 20 minutes; look at {_log(folder)}"
    with file_lock(folder.with_name(folder.name + ".lock"), patience=1200, taken=taken):
        if not _complete(folder):
            with writing(folder):
                _clear(folder)
                _make(folder, progress)
    return python


def _marker(folder: Path) -> Path:
    return folder / ".spanloop-complete"


def _started(folder: Path) -> Path:
    return folder / ".spanloop-started"


def _log(folder: Path) -> Path:
    return folder.with_name(folder.name + ".log")


def _recipe() -> str:
    """What the marker must say: a changed recipe makes the environment anew."""
    text = "\n".join(REQUIREMENTS) + CONSTRAINTS.read_text(encoding="utf-8")
    return hashlib.sha256(text.encode()).hexdigest()


def _complete(folder: Path) -> bool:
    """Whether the environment is ours, whole and of today's recipe, or a foreign one with the right server."""
    if _marker(folder).exists():
        return _marker(folder).read_text(encoding="utf-8") == _recipe() and _has_server(folder)
    return not _started(folder).exists() and _has_server(folder)


def _has_server(folder: Path) -> bool:
    """Ask the environment's own Python which server it holds: a moved or upgraded interpreter shows here."""
    code = (
        "from importlib.metadata import version as v; v('fakeredis'); print('argilla-server==' + v('argilla-server'))"
    )
    try:
        # "-I": the caller's PYTHONPATH must not answer for the environment
        asked = subprocess.run(
            [folder / "bin" / "python", "-I", "-c", code], check=False, capture_output=True, text=True, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0 and asked.stdout.strip() == REQUIREMENTS[0]


def _clear(folder: Path) -> None:
    """Remove an environment that is ours and not complete; anything else is left alone."""
    if not folder.exists() or not any(folder.iterdir()):
        return
    if not (_started(folder).exists() or _marker(folder).exists()):
        raise ServiceError(
            f"{folder} is no environment with {REQUIREMENTS[0]}; let SPANLOOP_SERVER_ENV name one, or an empty folder"
        )
    shutil.rmtree(folder)


def _make(folder: Path, progress: Progress) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    _started(folder).touch()
    log = _log(folder)
    log.unlink(missing_ok=True)
    progress("creating Argilla's environment", 0.0)
    try:
        python = make_empty(folder, _base_python())
        Installer(python, CONSTRAINTS, log, lambda what, share: progress(what, 0.05 + 0.9 * share)).install(
            *REQUIREMENTS
        )
    except ServiceError as error:
        raise ServiceError(f"Argilla's environment could not be made: {error}; all of it is in {log}") from None
    replace_file(_marker(folder), _recipe())
    progress("Argilla's environment is ready", 1.0)


def _base_python() -> str:
    """A Python that Argilla's pins can be installed with: this one, or one of the right version on the PATH."""
    if sys.version_info[:2] in _PYTHONS:
        return sys.executable
    for major, minor in reversed(_PYTHONS):
        if found := shutil.which(f"python{major}.{minor}"):
            return found
    raise ServiceError("the local Argilla needs Python 3.11, 3.12 or 3.13; install one, or use a full Argilla server")
