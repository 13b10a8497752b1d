"""The deployments: one definition, `deployments/prefect.yaml`, filled with the configuration of the working folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

import spanloop
from spanloop.config import LoopConfig
from spanloop.errors import ServiceError
from spanloop.processes.files import writing

_PACKAGE = Path(spanloop.__file__).parent
_PLACES = (_PACKAGE / "deployments" / "prefect.yaml", _PACKAGE.parents[1] / "deployments" / "prefect.yaml")


def definition_path() -> Path:
    """The definition: inside the installed package, or in the clone.

    Raises:
        ServiceError: It is in neither place.
    """
    for place in _PLACES:
        if place.is_file():
            return place
    raise ServiceError(f"{_PLACES[0]} is missing; install spanloop again")


def read_definition(path: Path) -> dict[str, Any]:
    """Read a definition.

    Raises:
        ServiceError: It cannot be read, or holds no deployments.
    """
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ServiceError(f"{path} cannot be read: {error.strerror}") from None
    except yaml.YAMLError:
        raise ServiceError(f"{path} is not valid YAML") from None
    if not isinstance(tree, dict) or not isinstance(tree.get("deployments"), list) or not tree["deployments"]:
        raise ServiceError(f"{path} holds no deployments")
    return tree


Schedules = Mapping[str, list[dict[str, Any]]]
"""The schedules of deployments that are on the server, by the deployment's name, as a definition writes them."""


def fill(definition: dict[str, Any], config: LoopConfig, folder: Path, deployed: Schedules) -> None:
    """Make the definition this folder's, in place.

    Our own flows get the configuration as their default parameter and the folder to start in. The schedules of the
    definition are those of a first deployment; from then on they are the user's: edited, switched, added or removed.

    Args:
        definition: A definition as `read_definition` returns it.
        config: The configuration.
        folder: Where runs start. Prefect imports from it first, so it should hold no files of the user's.
        deployed: What is on the server.
    """
    for deployment in definition["deployments"]:
        if str(deployment.get("entrypoint", "")).startswith("flows."):
            parameters = deployment.setdefault("parameters", {})
            parameters["config"] = config.model_dump(mode="json")
        deployment["work_pool"].setdefault("job_variables", {}).setdefault("working_dir", str(folder))
        if deployment["name"] in deployed:
            deployment["schedules"] = deployed[deployment["name"]]


def write_definition(definition: dict[str, Any], path: Path) -> None:
    """Write a definition for `prefect deploy` to read.

    Raises:
        ServiceError: It cannot be written.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(definition, allow_unicode=True, sort_keys=False), encoding="utf-8")
