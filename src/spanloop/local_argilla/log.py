"""The log of the local Argilla."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from spanloop.errors import ServiceError
from spanloop.local_argilla.state import argilla_folder


def log_path(home: Path) -> Path:
    """Where the server's output goes."""
    return argilla_folder(home) / "server.log"


def read_log(home: Path, last: int = 100, follow: Callable[[], bool] | None = None) -> Iterator[str]:
    """The lines of the server's log.

    Args:
        home: spanloop's home.
        last: How many lines from the end; 0: all.
        follow: Asked at the end of the file: wait for more? None: no.

    Raises:
        ServiceError: There is no log.
    """
    path = log_path(home)
    try:
        file = path.open(encoding="utf-8", errors="replace")
    except OSError:
        raise ServiceError(f"{path} cannot be read: start Argilla first ('spanloop argilla start')") from None
    with file:
        lines = file.readlines()
        yield from (x.rstrip("\n") for x in lines[-last:])
        while follow is not None and follow():
            if line := file.readline():
                yield line.rstrip("\n")
            elif path.exists() and path.stat().st_ino != os.fstat(file.fileno()).st_ino:
                return  # moved aside: a new server writes a new file
            elif os.fstat(file.fileno()).st_size < file.tell():
                file.seek(0)  # begun anew under its writer, for it was long
            else:
                time.sleep(0.2)
