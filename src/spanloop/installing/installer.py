"""Install packages into an environment: with uv where it can be had, with pip where not.

uv comes from the package index, through pip; `SPANLOOP_INSTALLER=pip` does without it. Plain standard library:
`.ci/make_venv.py` runs it before anything is installed.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from spanloop.errors import ServiceError
from spanloop.installing import pip_settings
from spanloop.installing.output import DiskFull, Follower, IndexSilent, Progress, failure

_MISLEADING = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "FORCE_COLOR", "CLICOLOR_FORCE")


@dataclass(frozen=True)
class Installer:
    """Installs packages into one environment as pip is configured, and tells how far it is.

    Attributes:
        python: The environment's Python, which has pip.
        constraints: File with the versions that may be installed.
        log: File that gets all that the installers print, appended.
        progress: Told what is fetched and installed.
        compile_all: Whether every module is compiled at once, as pip does it, and not at its first import.
    """

    python: Path
    constraints: Path
    log: Path
    progress: Progress
    compile_all: bool = False

    def install(self, *arguments: str, index: str = "", environ: Mapping[str, str] = os.environ) -> None:
        """Install what `arguments` of `pip install` name.

        Args:
            arguments: Requirements, `-e`, `--no-deps`.
            index: The one place to take all of it from, instead of those that pip is configured with.
            environ: Environment variables.

        Raises:
            ServiceError: It cannot be installed.
        """
        environ = _plain(environ)
        settings = self._settings(environ)
        uv = None if environ.get("SPANLOOP_INSTALLER") == "pip" else self._uv(settings, environ)
        if index:
            settings = pip_settings.settings_for_index(settings, index)
            environ = pip_settings.without_indexes(environ)
        if uv:
            try:
                return self._run_uv(uv, arguments, settings, environ)
            except DiskFull:
                raise
            except (ServiceError, OSError) as error:
                self.progress(f"going on with pip, uv failed: {error}", 0.0)
        if index:
            environ = pip_settings.pip_environ(settings, environ)
        return self._run_pip(arguments, settings, environ, self.progress)

    def _settings(self, environ: Mapping[str, str]) -> dict[str, str]:
        command = [str(self.python), "-m", "pip", "config", "list", "--disable-pip-version-check"]
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=environ)
        if done.returncode:
            raise ServiceError(f"'pip config list' failed: {(done.stderr.strip() or 'no output').splitlines()[-1]}")
        return pip_settings.read_pip_settings(done.stdout)

    def _uv(self, settings: Mapping[str, str], environ: Mapping[str, str]) -> Path | None:
        """The environment's uv, or the one beside the running Python, or one from the index; None: not to be had."""
        for python in (self.python, Path(sys.executable)):
            if (uv := python.with_name("uv")).exists():
                return uv
        self.progress("fetching uv", 0.0)
        try:
            self._run_pip(["uv"], settings, environ, lambda what, share: None)
        except (DiskFull, IndexSilent):
            raise
        except ServiceError as error:
            self.progress(f"going on with pip, uv is not to be had: {error}", 0.0)
            return None
        return self.python.with_name("uv")

    def _run_pip(
        self, arguments: Sequence[str], settings: Mapping[str, str], environ: Mapping[str, str], progress: Progress
    ) -> None:
        command = [str(self.python), "-m", "pip", "install", "--no-input", "--no-color", "--progress-bar=off"]
        command += ["--disable-pip-version-check", "-c", str(self.constraints), *arguments]
        self._run(command, settings, environ, progress)

    def _run_uv(
        self, uv: Path, arguments: Sequence[str], settings: Mapping[str, str], environ: Mapping[str, str]
    ) -> None:
        command = [str(uv), "pip", "install", "--python", str(self.python), "--color=never"]
        command += ["-c", str(self.constraints), *pip_settings.uv_options(settings)]
        command += ["--compile-bytecode"] if self.compile_all else []
        told = pip_settings.uv_environ(settings, environ)
        self.progress("resolving", 0.0)
        with _cache(uv, self.python.parent.parent, settings, told) as cached:
            self._run([*command, *arguments], settings, cached, self.progress)

    def _run(
        self, command: Sequence[str], settings: Mapping[str, str], environ: Mapping[str, str], progress: Progress
    ) -> None:
        after = ", compiling their modules" if self.compile_all else ""
        expected = self.constraints.read_text(encoding="utf-8").count("==")
        try:
            code, last = _run_logged(command, self.log, environ, Follower(progress, max(1, expected), after))
        except OSError as error:  # of the log, on a full disk
            code, last = 1, [str(error)]
        if code:
            index = environ.get("UV_DEFAULT_INDEX") or settings.get("index-url", "that pip asks by default")
            places = {x.stat().st_dev: x for x in (Path(tempfile.gettempdir()), self.python.parent.parent)}
            room = ", ".join(f"{shutil.disk_usage(x).free / 1e9:.1f} GB free in {x}" for x in places.values())
            raise failure(last, index, room)


def make_empty(folder: Path, base: str = sys.executable, *, clear: bool = False) -> Path:
    """Make an environment with pip and nothing else.

    Args:
        folder: Where it is to be.
        base: The Python that it is made of.
        clear: Whether what is there goes first.

    Returns:
        The environment's Python.

    Raises:
        ServiceError: It cannot be made.
    """
    command = [base, "-m", "venv", *(["--clear"] if clear else []), str(folder)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=_plain(os.environ))
    if done.returncode:
        said = " ".join((done.stdout + done.stderr).split())
        if "ensurepip is not available" in said:
            said = f"{base} has no ensurepip; Debian and Ubuntu have it in the package python3-venv"
        raise ServiceError(f"{folder} cannot be made: {said[-300:] or 'no output'}")
    return folder / "bin" / "python"


def _run_logged(
    command: Sequence[str], log: Path, environ: Mapping[str, str], follow: Callable[[str], None]
) -> tuple[int, list[str]]:
    """Run a command with all that it prints in a log; its exit code, and the last 200 lines."""
    last: deque[str] = deque(maxlen=200)
    with (
        log.open("a", encoding="utf-8") as file,
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=dict(environ),
        ) as process,
    ):
        try:
            for line in process.stdout or ():
                file.write(line)
                last.append(line.strip())
                follow(line.strip())
        except BaseException:  # Ctrl-C: nothing goes on behind our back
            process.kill()
            raise
    return process.returncode, list(last)


def _plain(environ: Mapping[str, str]) -> dict[str, str]:
    return {k: v for k, v in environ.items() if k not in _MISLEADING}


@contextlib.contextmanager
def _cache(
    uv: Path, folder: Path, settings: Mapping[str, str], environ: Mapping[str, str]
) -> Iterator[Mapping[str, str]]:
    """Variables with a cache that costs uv no second copy of the packages.

    uv links the files of an environment out of its cache. Where that is on another file system, or pip is told to keep
    none, a cache in `folder` serves, and is gone at the end.
    """
    if "UV_CACHE_DIR" in environ:
        yield environ
        return
    asked = subprocess.run([uv, "cache", "dir"], check=False, capture_output=True, text=True, env=environ).stdout
    kept = next((x for x in [*[Path(asked.strip())], *Path(asked.strip()).parents] if x.exists()), folder)
    links = os.access(kept, os.W_OK) and kept.stat().st_dev == folder.stat().st_dev
    if asked.strip() and links and not pip_settings.is_yes(settings, "no-cache-dir"):
        yield environ
        return
    with tempfile.TemporaryDirectory(prefix=".uv-cache-", dir=folder) as own:
        yield {**environ, "UV_CACHE_DIR": own}
