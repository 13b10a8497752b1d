"""JSON as files hold it."""

import json
from typing import Any

from spanloop.errors import DataError


def parse_json(text: str, where: str, demand: str) -> Any:
    """The value that a text says.

    Args:
        text: The text.
        where: Its place, for errors.
        demand: What it should be, for errors.

    Raises:
        DataError: It is no JSON, or nested too deeply.
    """
    try:
        return json.loads(text)
    except ValueError as error:
        raise DataError(f"{where}: not JSON ({error}); {demand}") from None
    except RecursionError:
        raise DataError(f"{where}: JSON that is nested too deeply to be read; {demand}") from None
