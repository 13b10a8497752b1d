"""Lists that a table without lists holds as text: JSON, Python's or numpy's way of writing them."""

import ast
import io
import json
import tokenize
from typing import Any

_NO_LITERAL = (ValueError, SyntaxError, MemoryError, RecursionError, TypeError, tokenize.TokenError)


def list_in(cell: str) -> list[Any] | None:
    """The list that a cell holds, e.g. `["a", "b"]`, `['a', 'b']` or numpy's `['a' 'b']`; None where it holds none."""
    text = cell.strip()
    if not (text.startswith("[") and text.endswith("]")):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = _python_list(text)
    return found if isinstance(found, list) else None


def texts_in(cell: str) -> list[str] | None:
    """The list of texts that a cell holds; None where it holds none, or other things, as `[1]` in a text does."""
    found = list_in(cell)
    return found if found is not None and all(isinstance(item, str) for item in found) else None


def _python_list(text: str) -> Any:
    try:
        strings = [
            part.string for part in tokenize.generate_tokens(io.StringIO(text).readline) if part.type == tokenize.STRING
        ]
        found = ast.literal_eval(text)
        if strings and isinstance(found, list) and all(isinstance(item, str) for item in found):
            return [ast.literal_eval(part) for part in strings]  # without commas Python would join neighbours
    except _NO_LITERAL:
        return None
    return found
