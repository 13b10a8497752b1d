"""Read the configuration: `spanloop.yaml`, then `SPANLOOP_SECTION__FIELD` environment variables over it."""

import contextlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from spanloop.config import LoopConfig
from spanloop.errors import ConfigError

DEFAULT_FILE = Path("spanloop.yaml")
_PREFIX = "SPANLOOP_"
_OF_THE_LOCAL_ARGILLA = {f"SPANLOOP_ARGILLA_{x}" for x in ("HOST", "PORT", "CREDENTIALS")}
_WHOSE = ("store", "argilla")  # without these nobody knows what is meant
_MISSING = object()
_SECRET = re.compile(r"key$|token|password|secret", re.IGNORECASE)


def home(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of spanloop's own services and credentials: `SPANLOOP_HOME`, or `~/.spanloop`."""
    return whole_path(environ.get("SPANLOOP_HOME") or "~/.spanloop")


def whole_path(text: str | Path) -> Path:
    """An absolute path with `~` spelled out; relative ones start at the working folder.

    Raises:
        ConfigError: `~` means nothing here: HOME is not set, or nobody is called so.
    """
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:
        raise ConfigError(
            f"{text}: there is no home folder to begin at (HOME is not set, or no such user); write the whole path, "
            "and set SPANLOOP_HOME to a folder for spanloop's own services"
        ) from None


def load_config(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> LoopConfig:
    """Read the configuration.

    Relative paths in it (`store`, a model folder, the file of a strategy) are taken from the folder of the file.

    Args:
        path: The YAML file; None reads `spanloop.yaml` of the working folder if it is there.
        environ: Environment variables, e.g. `SPANLOOP_TRAINING__LEARNING_RATE=3e-5`.

    Returns:
        The validated configuration, with `store` as an absolute path.

    Raises:
        ConfigError: The file is missing or no YAML, or a value does not fit.
    """
    path, tree = _read_tree(path, environ)
    try:
        return _validated(tree, path)
    except ValidationError as error:
        others = error.error_count() - 1
        more = f" (and {others} more)" if others else ""
        raise ConfigError(_described(error.errors()[0], path, environ) + more) from None


def load_what_fits(
    path: Path | None = None, environ: Mapping[str, str] = os.environ
) -> tuple[LoopConfig | None, list[str]]:
    """Read a configuration of which some values may not fit: those are as by default.

    Args:
        path: As in `load_config`.
        environ: Likewise.

    Returns:
        The configuration, and a line for each value that does not fit. None where one of those says which store or
        which Argilla is meant, or where no single value is to blame.

    Raises:
        ConfigError: The file is missing or no YAML.
    """
    path, tree = _read_tree(path, environ)
    problems: list[str] = []
    while True:
        try:
            return _validated(tree, path), problems
        except ValidationError as error:
            problems += [_described(problem, path, environ) for problem in error.errors()]
            places = [problem["loc"] for problem in error.errors()]
        if not all(place and place[0] not in _WHOSE and _drop(tree, place) for place in places):
            return None, problems


def overrides(environ: Mapping[str, str] = os.environ) -> tuple[list[str], list[str]]:
    """The variables that override the file, and those that look as if they did, but mean no setting."""
    fields = LoopConfig.model_fields
    ours = sorted(name for name in environ if name.startswith(_PREFIX) and name not in _OF_THE_LOCAL_ARGILLA)
    others = [name for name in ours if _keys(name)[0] not in fields]
    return [name for name in ours if name not in others], [
        name for name in others if "__" in name or any(_keys(name)[0].startswith(f"{x}_") for x in fields)
    ]


def _keys(variable: str) -> list[str]:
    return variable.removeprefix(_PREFIX).lower().split("__")


def _read_tree(path: Path | None, environ: Mapping[str, str]) -> tuple[Path, dict[str, Any]]:
    """What file and environment say, and where the file is."""
    path = path or Path(environ.get("SPANLOOP_CONFIG") or DEFAULT_FILE)
    tree = _read_yaml(path) if path.exists() or path != DEFAULT_FILE else {}
    _overlay(tree, environ)
    return path, tree


def _validated(tree: dict[str, Any], path: Path) -> LoopConfig:
    base = path.absolute().parent
    config = LoopConfig.model_validate(tree, context={"folder": base})
    config.store = str(_beside(base, config.store).resolve())
    if (encoder := _beside(base, config.training.model_name_or_path)).is_dir():
        config.training.model_name_or_path = str(encoder.resolve())
    return config


def _drop(tree: dict[str, Any], place: tuple[int | str, ...]) -> bool:
    """Take a value out of its section, or the section; whether it was there."""
    section = tree.get(str(place[0]))
    if len(place) > 1 and isinstance(section, dict):
        return section.pop(place[1], _MISSING) is not _MISSING
    return tree.pop(str(place[0]), _MISSING) is not _MISSING


def _beside(base: Path, text: str) -> Path:
    """A path of the file in `base`: relative to it, or with `~` spelled out."""
    return whole_path(text) if text.startswith("~") else base / text


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice, of which YAML would take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if (name := str(key.value)) in seen:
                raise yaml.MarkedYAMLError(problem=f"{name!r} stands twice", problem_mark=key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep)


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        tree = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506, it is a safe one
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist; 'spanloop init' writes one") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from None
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        what = f" at line {mark.line + 1} ({getattr(error, 'problem', '')})" if mark else ""
        raise ConfigError(f"{path} is not valid YAML{what}; see the comments that 'spanloop init' writes") from None
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise ConfigError(f"{path} holds {type(tree).__name__}, not sections; see 'spanloop init'")
    return tree


def _overlay(tree: dict[str, Any], environ: Mapping[str, str]) -> None:
    """Write `SPANLOOP_A__B=value` into `tree["a"]["b"]`."""
    fields = LoopConfig.model_fields
    for name in sorted(environ):
        keys = _keys(name)
        if not name.startswith(_PREFIX) or keys[0] not in fields:
            continue
        node = tree
        for key in keys[:-1]:
            child = node.setdefault(key, {})
            if not isinstance(child, dict):
                raise ConfigError(f"{name} names a section that the file gives as a single value; remove one of them")
            node = child
        node[keys[-1]] = _value(environ[name])


def _value(text: str) -> Any:
    """What a variable means: YAML in brackets or quotes; any other text as it is, which its field reads as it needs."""
    if text.lstrip().startswith(("[", "{", '"', "'")):
        with contextlib.suppress(yaml.YAMLError):
            return yaml.safe_load(text)
    return text


def _described(problem: Mapping[str, Any], path: Path, environ: Mapping[str, str]) -> str:
    """One line for one of pydantic's problems: where it was said, the field, the value, the reason."""
    place = [str(x) for x in problem["loc"]]
    field = ".".join(place) or "configuration"
    ours = ((name, zip(_keys(name), place, strict=False)) for name in overrides(environ)[0] if place)
    said = next((name for name, pairs in ours if all(key == part for key, part in pairs)), path)
    reason = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        reason = "is not a setting; check the spelling"
    elif problem["type"] == "string_type":
        reason += ": put it into quotes"
    elif problem["type"] == "list_type":
        reason += ", e.g. [a, b]"
    value = problem.get("input")
    secret = _SECRET.search(field)  # somebody may have written one, though no field holds any
    shown = f" = {value!r}" if isinstance(value, str | int | float | bool) and not secret else ""
    return f"{said}: {field}{shown}: {reason}"
