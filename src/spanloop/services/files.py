"""Files and folders of the services."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from spanloop.errors import ServiceError


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn whatever goes wrong while writing to `path`, or below it, into one line.

    Raises:
        ServiceError: No permission, no space, no folder, ….
    """
    try:
        yield
    except OSError as error:
        where = error.filename or path
        raise ServiceError(
            f"{where} cannot be written: {error.strerror}; SPANLOOP_HOME chooses another place"
        ) from None
