"""Make the environment of this clone, or bring it up to date: `python .ci/make_venv.py .venv`, as `make venv` does.

Needs nothing but Python 3.11 or later with pip. A mark is written last; an environment that was cut off before it is
made from its beginning, out of what uv or pip keep of their downloads.

Environment:
    TORCH_INDEX          package index to take torch alone from, e.g. one with builds for CPUs
    SPANLOOP_INSTALLER   `pip` does without uv
"""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from spanloop.errors import ServiceError  # noqa: E402
from spanloop.installing.installer import Installer, make_empty  # noqa: E402


class Teller:
    """Shows what is told with the seconds since the start, and the last of it again while nothing else is told."""

    def __init__(self) -> None:
        self._begun, self._said, self._what = time.monotonic(), 0.0, ""
        self._live, self._done, self._lock = sys.stderr.isatty(), threading.Event(), threading.RLock()
        threading.Thread(target=self._repeat, daemon=True).start()

    def __call__(self, what: str, share: float = 0.0) -> None:
        """Tell what happens: steps at once, downloads no oftener than they can be read."""
        with self._lock:
            if self._live and self._what and not self._what.startswith("fetching"):
                sys.stderr.write("\n")  # steps stay in sight
            self._what = what
            if self._live or not what.startswith("fetching") or self.seconds - self._said > 3:
                self._show()

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._begun

    def end(self, line: str = "") -> None:
        """Take back the line on a terminal, and leave another in its place."""
        self._done.set()
        with self._lock:
            sys.stderr.write(("\r\x1b[K" if self._live else "") + (line + "\n" if line else ""))

    def _repeat(self) -> None:
        while not self._done.wait(1):
            with self._lock:
                if not self._done.is_set() and (self._live or self.seconds - self._said > 15):
                    self._show()

    def _show(self) -> None:
        self._said = self.seconds
        line = f"{self.seconds:4.0f} s  {self._what}"
        if self._live:
            sys.stderr.write("\r\x1b[K" + line[: shutil.get_terminal_size().columns - 1])
        else:
            sys.stderr.write(line + "\n")
        sys.stderr.flush()


def make(folder: Path, tell: Teller) -> None:
    """Make the environment, with the mark last."""
    mark, log, python = folder / ".ready", folder / "setup.log", folder / "bin" / "python"
    cut_off = log.exists() and not mark.exists()
    mark.unlink(missing_ok=True)
    if cut_off or not runs(python, "-m", "pip", "--version"):
        tell(f"making {folder} with Python {sys.version.split()[0]} ({sys.executable})")
        make_empty(folder, clear=cut_off or not runs(python, "-c", ""))
    log.write_text("", encoding="utf-8")
    installer = Installer(python, ROOT / "constraints.txt", log, tell, compile_all=sys.dont_write_bytecode)
    try:
        if index := os.environ.get("TORCH_INDEX"):
            installer.install("--no-deps", "torch", index=index)
        installer.install("-e", ".[dev]")
    except ServiceError as error:
        raise ServiceError(f"{error}; all of it is in {log}") from None
    mark.touch()


def runs(*command: object) -> bool:
    """Whether a program is there and ends well."""
    try:
        return subprocess.run([str(x) for x in command], check=False, capture_output=True).returncode == 0
    except OSError:
        return False


def summary(folder: Path, seconds: float) -> str:
    """Time, packages and size: what links to uv's cache is counted, and said."""
    size = linked = 0
    for path, _, names in os.walk(folder):
        for name in names:
            seen = os.lstat(os.path.join(path, name))
            size += seen.st_blocks * 512
            linked += seen.st_blocks * 512 * (seen.st_nlink > 1)
    packages = len(list(folder.glob("lib/python*/site-packages/*.dist-info")))
    shared = f", {linked / 1e9:.1f} GB of it shared with uv's cache ('uv cache clean' empties that)" if linked else ""
    return f"{folder} is ready after {seconds:.0f} s: {packages} packages, {size / 1e9:.1f} GB{shared}"


def main(folder: Path) -> int:
    """Make the environment; what goes wrong is one line."""
    tell = Teller()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))  # an exception, which takes the installer along
    os.chdir(ROOT)
    try:
        make(folder, tell)
        tell.end(summary(folder, tell.seconds))
    except (ServiceError, OSError) as error:
        tell.end(f"setup: {error}")
        return 2
    except KeyboardInterrupt:
        tell.end("setup: interrupted; the same command goes on with what is fetched")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
