"""The formats that can be read: one module each, found by lying in this folder, with its readers in `READERS`."""

from importlib import import_module
from pkgutil import iter_modules

from spanloop.importing.readers import Reader

_modules = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]

READERS: dict[str, Reader] = {reader.name: reader for module in _modules for reader in module.READERS}
"""Every reader by its name in `--format`."""
