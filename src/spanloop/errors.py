"""Every error that a user of spanloop may meet.

A message is one line: what is wrong, with the value, and what to do about it.

    SpanloopError
    ├── ConfigError         spanloop.yaml, a SPANLOOP_… variable or a flag is wrong
    ├── DataError           text, spans or a file that is to be read is wrong
    │   └── LabelError      a label is unknown, renamed or removed
    ├── ArgillaError        the Argilla server refused, or answered something unusable
    │   ├── ArgillaUnreachable   no answer from the server
    │   └── ArgillaUnauthorized  the API key is missing or wrong
    ├── StoreError          an artifact of the store is missing, corrupt or cannot be written
    │   ├── ArtifactDamaged a file of an artifact is missing or is not what was published
    │   └── RoundInProgress another round holds the store
    ├── TrainingError       a model cannot be trained, loaded or run
    └── ServiceError        a local service (Argilla, Prefect) cannot be set up, started or stopped

The command line prints the message and exits with code 2; nothing was changed, or what was changed is complete.
"""


class SpanloopError(Exception):
    """The root: `except SpanloopError` catches everything that spanloop raises on purpose."""


class ConfigError(SpanloopError):
    """A setting is missing, unknown or out of its bounds."""


class DataError(SpanloopError):
    """A file, a text or a span is not what it should be; the message names the file and line, or the record id."""


class LabelError(DataError):
    """A label is unknown, was renamed or was removed; the message names it and the record that carries it."""


class ArgillaError(SpanloopError):
    """Argilla refused a request or answered something that cannot be used."""


class ArgillaUnreachable(ArgillaError):
    """No answer from the Argilla server after all retries."""


class ArgillaUnauthorized(ArgillaError):
    """The Argilla API key is missing, wrong, or not allowed to do this."""


class StoreError(SpanloopError):
    """An artifact of the store is missing, corrupt, or cannot be written."""


class ArtifactDamaged(StoreError):
    """A file of an artifact is missing, or its content is not what was published."""


class RoundInProgress(StoreError):
    """Another round holds the store."""


class TrainingError(SpanloopError):
    """A model cannot be trained, loaded or run."""


class ServiceError(SpanloopError):
    """A local service cannot be set up, started or stopped."""


def first_line(error: BaseException) -> str:
    """What an error of somebody else's says, on one line; its type where it says nothing."""
    return next(iter(str(error).strip().splitlines()), "").strip() or type(error).__name__
