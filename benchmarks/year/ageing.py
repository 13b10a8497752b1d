"""Days pass: what is there already becomes older, as retention looks at ages.

No clock is changed. The times of files, and those of Prefect's history in its database, are set back; what lives now
(workers, deployments, schedules) stays of today.
"""

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

DAY = 86400
_HISTORY = (
    "flow_run", "flow_run_state", "task_run", "task_run_state", "log", "artifact", "artifact_collection", "events",
    "event_resources",
)  # fmt: skip
_EARLIER = "strftime('%Y-%m-%d %H:%M:%S', \"{x}\", '-{days} day') || substr(\"{x}\", 20)"


def age_files(root: Path, days: int) -> None:
    """Set back the times of a folder and of all that is in it."""
    for path in (root, *root.rglob("*")):
        with suppress(FileNotFoundError):
            seen = path.lstat()
            os.utime(path, (seen.st_atime - days * DAY, seen.st_mtime - days * DAY), follow_symlinks=False)


def age_prefect(database: Path, days: int) -> None:
    """Set back every time in the history of a Prefect server that runs on SQLite."""
    with closing(sqlite3.connect(database, timeout=120)) as connection:
        with connection:
            for table in _HISTORY:
                kinds = {name: kind for _, name, kind, *_ in connection.execute(f'PRAGMA table_info("{table}")')}
                times = [name for name, kind in kinds.items() if kind in ("DATETIME", "TIMESTAMP")]
                sets = ", ".join(f'"{x}" = {_EARLIER.format(x=x, days=days)}' for x in times)
                connection.execute(f'UPDATE "{table}" SET {sets}')
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # what we wrote is not to count as Prefect's
