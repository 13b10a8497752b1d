"""What pip and uv print while they install: how far they are, and why they gave up.

Plain standard library: `.ci/make_venv.py` runs it before anything is installed.
"""

import re
from collections.abc import Callable, Sequence

from spanloop.errors import ServiceError
from spanloop.installing.pip_settings import without_secrets

Progress = Callable[[str, float], None]
"""Told what happens and how far it is, 0..1."""


class DiskFull(ServiceError):
    """There is no space left, where another installer would find none either."""


class IndexSilent(ServiceError):
    """The package index does not answer."""


_FULL = re.compile(r"No space left on device|Disk quota exceeded|\(os error (28|122)\)", re.IGNORECASE)
_SILENT = re.compile(
    r"Retry\(total=0|Max retries exceeded|Read timed out"  # pip
    r"|error sending request|dns error|operation timed out"  # uv
)
_UV_STEP = re.compile(r"(Resolved|Prepared|Installed|Building|Downloading|Downloaded) (\S+)(?: \(([\d.]+)([KMG]iB)\))?")
_PIP_LARGE = re.compile(r"Downloading (\S+) \(([\d.]+ [MG]B)\)")
_MIB = {"KiB": 1 / 1024, "MiB": 1.0, "GiB": 1024.0}


class Follower:
    """Reads an installer's output line by line and tells how far it is."""

    def __init__(self, progress: Progress, expected: int, last: str = "") -> None:
        """Begin at zero.

        Args:
            progress: Told what happens.
            expected: How many packages there will be, about.
            last: What uv does after all are installed, without a word.
        """
        self._progress, self._expected, self._last = progress, expected, last
        self._share, self._fetched, self._total = 0.0, 0.0, 0.0
        self._waiting: dict[str, float] = {}  # MiB of each download that uv is at

    def __call__(self, line: str) -> None:
        """Read one line, and tell what it says of how far the installing is."""
        if large := _PIP_LARGE.match(line):
            self._tell(f"fetching {_name(large[1])} ({large[2]})", 0.0)
        elif step := _UV_STEP.match(line):
            self._uv(step)
        elif line.startswith(
            ("Collecting ", "Processing ")
        ):  # pip: half of the time goes here, the rest into unpacking
            self._fetched += 1
            self._tell(f"fetching {_name(line.split()[1])}", 0.5 * self._fetched / self._expected)
        elif line.startswith("Installing collected packages"):
            self._tell(f"installing {_count(line.count(',') + 1)}", 0.5)
        elif line.startswith("Successfully installed "):
            self._tell(f"installed {_count(len(line.split()) - 2)}", 1.0)

    def _uv(self, step: re.Match[str]) -> None:
        what, name, size, unit = step.groups()
        if what == "Resolved":
            self._tell(f"resolved {_count(name)}, fetching what is not at hand", 0.1)
        elif what == "Prepared":
            self._tell(f"installing {_count(name)}", 0.9)
        elif what == "Installed":
            self._tell(f"installed {_count(name)}{self._last}", 1.0)
        elif what == "Downloading" and size:
            self._waiting[name] = float(size) * _MIB[unit]
            self._total += self._waiting[name]
        elif what == "Downloaded":
            self._fetched += self._waiting.pop(name, 0.0)
        if what in ("Downloading", "Downloaded") and self._waiting:
            largest = max(self._waiting, key=lambda x: self._waiting[x])
            others = f" and {len(self._waiting) - 1} more" if len(self._waiting) > 1 else ""
            share = 0.1 + 0.8 * self._fetched / self._total
            self._tell(f"fetching {largest} ({self._waiting[largest]:.0f} MiB){others}", share)

    def _tell(self, what: str, share: float) -> None:
        self._share = max(self._share, min(share, 1.0))
        self._progress(what, self._share)


def _count(packages: str | int) -> str:
    return f"{packages} package" + "s" * (str(packages) != "1")


def _name(requirement: str) -> str:
    """The package in `torch>=2.13`, or in the path of a wheel."""
    return re.split(r"[<>=!~;(\[]|-\d", requirement.rpartition("/")[2])[0]


def failure(lines: Sequence[str], index: str, room: str) -> ServiceError:
    """Why an installer gave up, in one line with the way out where there is a known one.

    Args:
        lines: The end of what it printed.
        index: The package index that it asked, for the message.
        room: How much space is where, for the message.
    """
    reason = _reason(lines)
    if any(_FULL.search(x) for x in lines):
        return DiskFull(f"the disk is full ({room}); make room and run the same again")
    if _SILENT.search(reason) or any("Retry(total=0" in x for x in lines):
        return IndexSilent(
            f"the package index {without_secrets(index)} does not answer; "
            "look at the network, the proxy, and what 'pip config list' says"
        )
    return ServiceError(without_secrets(reason))


def _reason(lines: Sequence[str]) -> str:
    """The first error of pip, or all of uv's, which is a line and its causes."""
    for number, line in enumerate(lines):
        if line.startswith("ERROR"):
            return line.removeprefix("ERROR:").strip()
        if line.startswith(("error:", "×")):
            text = re.sub(r"[×╰─▶├│]+", " ", " ".join(lines[number:])).removeprefix("error:")
            return " ".join(text.split())[:400]
    return next((x for x in reversed(lines) if x), "no output")
