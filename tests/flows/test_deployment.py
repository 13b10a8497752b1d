"""The deployment: the form that the Prefect UI draws, the schedule, one round at a time."""

import json
from pathlib import Path

import pytest
import yaml

from spanloop.config import LoopConfig

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def deployment() -> dict:
    tree = yaml.safe_load((ROOT / "deployments" / "prefect.yaml").read_text())
    return next(d for d in tree["deployments"] if d["name"] == "round")


def schema() -> dict:
    from prefect.utilities.callables import parameter_schema

    from flows.active_learning import active_learning

    return parameter_schema(active_learning).model_dump()


def test_the_form_has_every_section_with_descriptions():
    found = schema()
    assert list(found["properties"]) == ["config", "again"]
    assert found["required"] == ["config"]
    loop = found["definitions"]["LoopConfig"]
    sections = [name for name, field in loop["properties"].items() if "$ref" in json.dumps(field)]
    assert {"argilla", "task", "splits", "round", "training", "gate", "scoring", "selection"} <= set(sections)
    for name, definition in found["definitions"].items():
        assert definition.get("description"), f"{name} has no description"
        for field, properties in definition["properties"].items():
            assert properties.get("description") or "$ref" in properties, f"{name}.{field} has no description"
            assert "anyOf" not in properties, f"{name}.{field}: the form cannot draw a union"


def test_the_form_says_what_may_stand_in_the_selection():
    from prefect.utilities.schema_tools.validation import is_valid

    selection = schema()["definitions"]["SelectionConfig"]["properties"]
    assert "random, least_confidence, margin" in selection["strategy"]["description"]
    assert selection["strategy"]["type"] == "string"
    assert "(duplicates) Do not ask twice" in selection["steps"]["description"]
    assert selection["steps"]["type"] == "object"  # drawn as JSON
    for strength, taken in ((0.5, True), (2, False), ("much", False)):
        config = LoopConfig().model_dump(mode="json")
        config["selection"]["steps"] = {"duplicates": strength}
        assert is_valid({"config": config, "again": False}, schema()) is taken


def test_the_form_has_no_place_for_a_secret():
    names = [field for d in schema()["definitions"].values() for field in d["properties"]]
    assert {n for n in names if "key" in n or "password" in n or "token" in n} == {
        "api_key_env",
        "api_key_block",
        "max_tokens_per_batch",
    }


def test_the_flow_says_in_one_line_what_it_does():
    from flows.active_learning import active_learning

    assert active_learning.name == "active-learning"
    assert str(active_learning.description).splitlines()[0].startswith("Run one round")


def test_the_entrypoint_is_a_module_that_any_installation_has(deployment):
    from prefect.flows import load_flow_from_entrypoint

    flow = load_flow_from_entrypoint(deployment["entrypoint"], use_placeholder_flow=False)
    assert flow.name == "active-learning"


def test_the_schedule_waits_to_be_switched_on_and_rounds_never_overlap(deployment):
    assert [schedule["active"] for schedule in deployment["schedules"]] == [False]
    assert deployment["concurrency_limit"] == {"limit": 1, "collision_strategy": "CANCEL_NEW"}


def test_prefect_reads_the_definition():
    from prefect.cli.deploy._models import PrefectYamlModel

    tree = yaml.safe_load((ROOT / "deployments" / "prefect.yaml").read_text())
    found = PrefectYamlModel.model_validate(tree)
    assert [d.name for d in found.deployments]
    assert found.pull == []


def test_flows_hold_the_order_of_steps_and_nothing_else():
    for path in (ROOT / "flows").glob("*.py"):
        assert len(path.read_text().splitlines()) <= 150, f"{path.name} is longer than 150 lines"


@pytest.mark.parametrize("folder", ["flows", "tasks"])
def test_no_file_is_named_like_a_library(folder):
    from importlib.util import find_spec

    for path in (ROOT / folder).glob("*.py"):
        if path.stem != "__init__":
            assert find_spec(path.stem) is None, f"{folder}/{path.name} hides a library"
