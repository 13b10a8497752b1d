"""Logs of services."""

from pathlib import Path


def last_line(log: Path) -> str:
    """The last line of a log that says something, shortened."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    return next((x.strip()[:300] for x in reversed(lines) if x.strip()), "no output")
