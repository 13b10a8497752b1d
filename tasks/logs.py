"""The log of a run: the library's decisions are in it, and expected errors are one line, without a traceback.

The run is Failed with that line all the same.
"""

import logging

from spanloop.errors import SpanloopError

_RUN_LOGGERS = ("prefect.flow_runs", "prefect.task_runs")


class OneLine(logging.Filter):
    """Takes the traceback off records about a `SpanloopError`."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten the record; every record passes.

        Args:
            record: What is about to be logged.

        Returns:
            True.
        """
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, SpanloopError):
            record.msg, record.args = str(error), ()
            record.exc_info = record.exc_text = None
        return True


def prepare_logs() -> None:
    """Let the library's decisions through, and shorten expected errors; may be called again."""
    library = logging.getLogger("spanloop")
    if library.level == logging.NOTSET:
        library.setLevel(logging.INFO)
    for name in _RUN_LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(known, OneLine) for known in logger.filters):
            logger.addFilter(OneLine())
