"""From `selection.strategy` to the strategy: a name of `STRATEGIES`, or a function of the user's own.

One's own is written `my_package:my_function`, where Python finds `my_package`, or `/folder/my_package.py:my_function`.
"""

import inspect
import sys
from contextlib import suppress
from importlib import import_module
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType

from spanloop.errors import ConfigError
from spanloop.selection.strategies import STRATEGIES, Strategy, Values


def find_strategy(reference: str) -> Strategy:
    """Look a strategy up, and import it where it is the user's own.

    Args:
        reference: The value of `selection.strategy`.

    Raises:
        ConfigError: There is none of that name, its module cannot be imported, or it is no function of (pool, rng).
    """
    place, colon, name = reference.rpartition(":")
    if not colon:
        if reference in STRATEGIES:
            return STRATEGIES[reference]
        raise ConfigError(
            f"there is no strategy {reference!r}; there are {', '.join(STRATEGIES)}, "
            "and one of your own is written my_package:my_function"
        )
    module = _module(place)
    found = getattr(module, name, None)
    if found is None:
        raise ConfigError(f"{place} holds no {name!r}; name a function of it")
    return found if isinstance(found, Strategy) else Strategy(_function(found, name))


def beside(reference: str, folder: Path) -> str:
    """Name a strategy by its file if that lies in `folder`: so it is found from wherever a round runs.

    Args:
        reference: The value of `selection.strategy`.
        folder: The folder of `spanloop.yaml`.

    Returns:
        `/folder/my_package.py:my_function` for `my_package:my_function`; anything else as it is.
    """
    place, colon, name = reference.rpartition(":")
    file = folder / f"{place.removesuffix('.py')}.py"
    return f"{file}:{name}" if colon and file.is_file() else reference


def _module(place: str) -> ModuleType:
    try:
        return _of_file(Path(place)) if place.endswith(".py") else import_module(place)
    except Exception as error:  # it is the user's code
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        if isinstance(error, ModuleNotFoundError) and error.name == place.partition(".")[0]:
            raise ConfigError(
                f"there is no module {place!r}; put {place}.py beside spanloop.yaml, name it by its whole path "
                "(/folder/file.py:function), or install it"
            ) from None
        raise ConfigError(f"{place} cannot be imported ({reason}); correct it") from None


def _of_file(path: Path) -> ModuleType:
    """Run a file as a module, each time anew: `spanloop up` reads the configuration again when it changes."""
    name = f"spanloop_strategy_{path.stem}"  # a file named like a library must not take its place
    loader = SourceFileLoader(name, str(path))
    module = sys.modules[name] = module_from_spec(ModuleSpec(name, loader, origin=str(path)))
    loader.exec_module(module)
    return module


def _function(found: object, name: str) -> Values:
    if not callable(found):
        raise ConfigError(f"{name} is of type {type(found).__name__}; name a function of (pool, rng)")
    with suppress(ValueError):  # some functions written in C do not tell their arguments
        try:
            inspect.signature(found).bind(None, None)
        except TypeError as error:
            raise ConfigError(f"{name} cannot be called with (pool, rng): {error}; let it take these two") from None
    return found
