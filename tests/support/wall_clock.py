"""A wall clock that is wrong in this process: what asks for the time of day, and the times of files that it writes."""

import datetime
import os
import sys
import time
from pathlib import Path

_true_time, _true_datetime = time.time, datetime.datetime
_wrong = {"by": 0.0, "since": 0.0}
_OURS = ("spanloop", "flows", "tasks")


class _Shifted(_true_datetime):
    """The time of day as the wrong clock has it."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:  # type: ignore[override]
        """The wrong time."""
        return _true_datetime.now(tz) + datetime.timedelta(seconds=_wrong["by"])


def set_clock(by: float, folder: str) -> None:
    """Set the clock of this process; monotonic time goes on as before.

    Args:
        by: Seconds that it is ahead of the true time from now on.
        folder: What was written below it since the last setting gets the times that the clock then showed.
    """
    if _wrong["by"]:
        for path in sorted(Path(folder).rglob("*"), reverse=True):  # a folder after what is in it
            if path.exists() and (at := path.stat().st_mtime) >= _wrong["since"] and at <= _true_time():
                os.utime(path, (at + _wrong["by"],) * 2)
    _wrong.update(by=by, since=_true_time())
    time.time = lambda: _true_time() + _wrong["by"]
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in _OURS and vars(module).get("datetime") is _true_datetime:
            module.datetime = _Shifted  # type: ignore[attr-defined]
